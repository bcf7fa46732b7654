/** Words to write structural schemas with. */

/** A node of an OpenAPI v3 schema as CustomResourceDefinitions embed it. */
export type Schema = Readonly<Record<string, unknown>>

export const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
export const integer: Schema = { type: 'integer', format: 'int32' }
export const moment: Schema = { type: 'string', format: 'date-time' }
/** Any object, kept as it is. */
export const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values })
export const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values })
export const withDefault = (schema: Schema, value: unknown): Schema => ({ ...schema, default: value })

/** An object with these properties; unknown ones are pruned. */
export const record = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})

export const conditionList: Schema = list(
  record(
    {
      type: text,
      status: oneOf('True', 'False', 'Unknown'),
      reason: text,
      message: text,
      lastTransitionTime: moment,
      observedGeneration: { type: 'integer', format: 'int64' },
    },
    ['type', 'status'],
  ),
)
