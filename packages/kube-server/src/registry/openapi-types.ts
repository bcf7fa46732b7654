/** Short words for writing the OpenAPI schemas of built-in kinds. */
import type { JsonObject } from '../api/object.ts'

export type Schema = JsonObject

export const text: Schema = Object.freeze({ type: 'string' })
export const integer: Schema = Object.freeze({ type: 'integer', format: 'int32' })
export const long: Schema = Object.freeze({ type: 'integer', format: 'int64' })
export const boolean: Schema = Object.freeze({ type: 'boolean' })
export const time: Schema = Object.freeze({ type: 'string', format: 'date-time' })
/** RFC 3339 with exactly six decimals. */
export const microTime: Schema = Object.freeze({ type: 'string', format: 'micro-time' })
export const bytes: Schema = Object.freeze({ type: 'string', format: 'byte' })
export const intOrString: Schema = Object.freeze({ 'x-kubernetes-int-or-string': true })
/** Anything goes: parts of workloads that nobody here interprets. */
export const anything: Schema = Object.freeze({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })

export const describe = (schema: Schema, description: string): Schema => ({ ...schema, description })
export const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values })
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
export const strings: Schema = Object.freeze(listOf(text))

export function record(properties: { [name: string]: Schema }, required: readonly string[] = []): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required: [...required] }) }
}

/** A list that is kept even when empty, as Go does without `omitempty`. */
export const keptList = (items: Schema): Schema => ({ ...listOf(items), 'x-keep-empty': true })
