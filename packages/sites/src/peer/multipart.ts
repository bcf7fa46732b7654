/** Bodies of the form that subclouds are added and changed with. */
import { createHash } from 'node:crypto'

export interface MultipartForm {
  readonly fields: Readonly<Record<string, string>>
  /** Contents by part name. */
  readonly files: Readonly<Record<string, string>>
}

export interface MultipartBody {
  readonly contentType: string
  readonly body: Uint8Array
}

export function multipartBody({ fields, files }: MultipartForm): MultipartBody {
  const boundary = boundaryOf(JSON.stringify([fields, files]))
  const parts = [
    ...Object.entries(fields).map(([name, value]) => part(boundary, `name="${quoted(name)}"`, value)),
    ...Object.entries(files).map(([name, content]) =>
      part(boundary, `name="${quoted(name)}"; filename="${quoted(name)}.yml"`, content, 'application/x-yaml'),
    ),
  ]
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.from(`${parts.join('')}--${boundary}--\r\n`),
  }
}

/** Of the contents themselves: it stands in none of them, as nobody writes a text that contains its own digest. */
const boundaryOf = (contents: string) => `godwit-${createHash('sha256').update(contents).digest('hex').slice(0, 40)}`

const part = (boundary: string, disposition: string, content: string, type?: string) =>
  `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n${type ? `Content-Type: ${type}\r\n` : ''}\r\n${content}\r\n`

const quoted = (name: string) => name.replaceAll(/["\r\n]/g, '_')
