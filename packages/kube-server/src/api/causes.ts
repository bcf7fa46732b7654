/** Makers of the `details.causes` lines that a 422 carries. */
import type { Json } from './object.ts'
import type { Cause } from './status-error.ts'

/** How a bad value is shown in a message. */
export function shown(value: Json | undefined): string {
  if (value !== null && typeof value === 'object') return Array.isArray(value) ? '"array"' : '"object"'
  return JSON.stringify(value ?? null)
}

export const invalidValue = (field: string, value: Json | undefined, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${shown(value)}: ${why}`,
  field,
})

export const requiredValue = (field: string, why?: string): Cause => ({
  reason: 'FieldValueRequired',
  message: why ? `Required value: ${why}` : 'Required value',
  field,
})

export const forbidden = (field: string, why: string): Cause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
  field,
})

export const unsupportedValue = (field: string, value: Json | undefined, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map(one => JSON.stringify(one)).join(', ')}`,
  field,
})

export const tooLong = (field: string, maxBytes: number): Cause => ({
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${maxBytes} bytes`,
  field,
})

export const duplicateValue = (field: string, value: Json): Cause => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${shown(value)}`,
  field,
})

export const immutableField = (field: string, value: Json | undefined): Cause =>
  invalidValue(field, value, 'field is immutable')
