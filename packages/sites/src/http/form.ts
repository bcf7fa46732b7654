/** Bodies of several parts, as subclouds are added and changed with: fields, and files that are texts. */
import { Refusal } from './refusal.ts'

export interface Form {
  readonly fields: Readonly<Record<string, string>>
  /** Contents by the name of the part. */
  readonly files: Readonly<Record<string, string>>
}

export const emptyForm: Form = { fields: {}, files: {} }

export const isForm = (contentType: string | undefined) => /^multipart\/form-data\b/i.test(contentType ?? '')

/** Of parts with the same name the last one counts. @throws Refusal 400 for a body that is none */
export async function parseForm(contentType: string, body: Uint8Array): Promise<Form> {
  const fields = new Map<string, string>()
  const files = new Map<string, string>()
  for (const [name, value] of await partsOf(contentType, body))
    if (typeof value === 'string') fields.set(name, value)
    else files.set(name, await value.text())
  return { fields: Object.fromEntries(fields), files: Object.fromEntries(files) }
}

async function partsOf(contentType: string, body: Uint8Array) {
  try {
    return [...(await new Response(Buffer.from(body), { headers: { 'content-type': contentType } }).formData())]
  } catch {
    throw new Refusal(400, 'The multipart body is malformed')
  }
}
