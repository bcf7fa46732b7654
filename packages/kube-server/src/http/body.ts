import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, StatusError } from '../api/status-error.ts'
import { type Decoded, parseJson } from './parse-json.ts'
import { parseYaml } from './parse-yaml.ts'

export const maxBodyBytes = 3 * 1024 * 1024

export type BodyFormat = 'json' | 'yaml' | 'protobuf'

/** Media type without parameters, lower case; empty when there is none. */
export function mediaType(contentType: string | undefined): string {
  if (!contentType) return ''
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** Format of the body of a create, update or review. No content type means JSON, as the real server has it. */
export function bodyFormat(contentType: string | undefined): BodyFormat {
  const type = mediaType(contentType)
  if (type === '' || type === 'application/json') return 'json'
  if (type === 'application/yaml') return 'yaml'
  if (type === 'application/vnd.kubernetes.protobuf') return 'protobuf'
  throw unsupportedMediaType(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'])
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}

export const tooLarge = () =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`)

/** Decodes a body that must be an object. `readProtobuf` is only called for protobuf bodies. */
export function decodeObject(
  body: Buffer | undefined,
  format: BodyFormat,
  readProtobuf: (body: Buffer) => JsonObject,
): { value: JsonObject; duplicates: readonly string[] } {
  const decoded = decode(body, format, readProtobuf)
  return { value: asObject(decoded.value), duplicates: decoded.duplicates }
}

function decode(body: Buffer | undefined, format: BodyFormat, readProtobuf: (body: Buffer) => JsonObject): Decoded {
  if (!body || body.length === 0) throw badRequest('EOF')
  if (format === 'json') return parseJson(body.toString('utf8'))
  if (format === 'yaml') return parseYaml(body.toString('utf8'))
  return { value: readProtobuf(body), duplicates: [] }
}

/** An apply body is YAML, of which JSON is the usual case and much faster to read. */
export function decodeApplyBody(body: Buffer | undefined): Decoded {
  const text = body?.toString('utf8') ?? ''
  return text.trimStart().startsWith('{') ? parseJson(text) : parseYaml(text)
}

export function asObject(value: Json): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badRequest('the object provided is unrecognized: it must be a JSON object')
  return value
}
