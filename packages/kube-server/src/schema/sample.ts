/** Short words for tests of schemas: one spec with the given properties, causes as readable lines. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { applyDefaults, compileSchema, prune, validate } from './schema.ts'
import { checkStructural } from './structural.ts'

/** A definition's schema whose `spec` has these properties. */
export const specSchema = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, ...more } },
})

export const sampleObject = (spec: Json): JsonObject => ({
  apiVersion: 'tests.example.com/v1',
  kind: 'Sample',
  metadata: { name: 'sample', namespace: 'default' },
  spec,
})

/** `Reason at field: message`, sorted, without the common beginning of reasons. */
export const lines = (causes: readonly Cause[]): string[] =>
  causes.map(({ reason, field, message }) => `${reason.replace(/^FieldValue/, '')} at ${field}: ${message}`).sort()

/** What the whole pipeline says about an object with this spec; `old` is the spec that an update replaces. */
export function judge(properties: JsonObject, spec: Json, old?: Json): string[] {
  return judgeSchema(specSchema(properties), sampleObject(spec), old === undefined ? undefined : sampleObject(old))
}

export function judgeSchema(openApi: JsonObject, object: JsonObject, old?: JsonObject): string[] {
  const schema = compileSchema(openApi)
  for (const one of [object, old])
    if (one) {
      prune(schema, one)
      applyDefaults(schema, one)
    }
  return lines(validate(schema, object, old))
}

/** Why a definition with this schema would be refused. Paths begin with `schema`. */
export const refusals = (openApi: JsonObject): string[] => lines(checkStructural(openApi, 'schema'))
