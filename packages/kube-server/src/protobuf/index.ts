/** Reads protobuf bodies, as kubectl sends them for typed commands. Never writes protobuf: clients accept JSON answers. */
import type { JsonObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import { type Message, message, nested, readMessage, text } from './field-types.ts'
import { deleteOptions, messages } from './messages.ts'
import { malformed, readFields } from './wire.ts'

const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])

const envelope = message({
  1: ['typeMeta', nested(message({ 1: ['apiVersion', text], 2: ['kind', text] }))],
  3: ['contentEncoding', text],
})

function rawObject(bytes: Buffer): Buffer {
  let raw: Buffer = Buffer.alloc(0)
  for (const field of readFields(bytes)) {
    if (field.id !== 2) continue
    if (field.type !== 'bytes') throw malformed('wrong wire type for raw')
    raw = field.bytes
  }
  return raw
}

function unsupported(what: string): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml (${what})`,
  )
}

function describe(apiVersion: string, kind: string): Message {
  const known = kind === 'DeleteOptions' ? deleteOptions : messages.get(`${apiVersion} ${kind}`)
  if (known === undefined)
    throw unsupported(`no protobuf form of ${kind || 'objects without kind'} in ${apiVersion || 'no version'} is known`)
  return known
}

/**
 * The object in a protobuf body as JSON: bytes are base64, times RFC 3339, unset fields absent. Throws 400 for malformed
 * bytes and 415 for kinds without a description here.
 */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed('the magic number is missing')
  const content = body.subarray(MAGIC.length)
  const { typeMeta, contentEncoding } = readMessage(envelope, content)
  if (contentEncoding) throw unsupported('encoded content')
  const { apiVersion = '', kind = '' } = (typeMeta ?? {}) as { apiVersion?: string; kind?: string }
  const description = describe(apiVersion, kind)
  return { apiVersion, kind, ...readMessage(description, rawObject(content)) }
}
