import type { JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'

/** Create-time rules of a definition's schema. `fieldPath` is where the schema stands in the definition. */
export function checkStructural(openAPIV3Schema: JsonObject, fieldPath: string): Cause[] {
  if (openAPIV3Schema['type'] === 'object') return []
  return [
    {
      reason: 'FieldValueRequired',
      field: `${fieldPath}.type`,
      message: 'Required value: must not be empty at the root',
    },
  ]
}
