/** Makers of causes with the texts of the real server's schema validation. */
import type { Json } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { fieldPath, joinPath, type PathPart } from './field-path.ts'
import { goValue } from './go-value.ts'

type Path = readonly PathPart[]

/** `shown` is a value, or the name of a JSON type. */
export const wrongType = (path: Path, wanted: string, shown: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  field: fieldPath(path),
  message: `Invalid value: ${goValue(shown)}: ${joinPath(path)} in body must be of type ${wanted}: ${goValue(shown)}`,
})

/** `why` follows the path: `should match '^a'`. */
export const badValue = (path: Path, value: Json, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  field: fieldPath(path),
  message: `Invalid value: ${goValue(value)}: ${joinPath(path)} in body ${why}`,
})

/** Logical junctors name the path in their text only. */
export const junctorFailed = (path: Path, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message: `Invalid value: "": ${JSON.stringify(joinPath(path))} ${why}`,
})

export const missing = (path: Path, why = ''): Cause => ({
  reason: 'FieldValueRequired',
  field: fieldPath(path),
  message: why ? `Required value: ${why}` : 'Required value',
})

export const notSupported = (path: Path, value: Json, supported: readonly Json[]): Cause => ({
  reason: 'FieldValueNotSupported',
  field: fieldPath(path),
  message: `Unsupported value: ${goValue(value)}: supported values: ${supported.map(quotedValue).join(', ')}`,
})

const quotedValue = (value: Json) => JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value))

export const tooLong = (path: Path, maxLength: number): Cause => ({
  reason: 'FieldValueTooLong',
  field: fieldPath(path),
  message: `Too long: may not be more than ${maxLength} bytes`,
})

export const tooMany = (path: Path, actual: number, max: number): Cause => ({
  reason: 'FieldValueTooMany',
  field: fieldPath(path),
  message: `Too many: ${actual}: must have at most ${max} items`,
})

export const duplicate = (path: Path, value: Json): Cause => ({
  reason: 'FieldValueDuplicate',
  field: fieldPath(path),
  message: `Duplicate value: ${goValue(value)}`,
})

export const invalid = (path: Path, value: Json, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  field: fieldPath(path),
  message: `Invalid value: ${goValue(value)}: ${why}`,
})

export const forbidden = (path: Path, why: string): Cause => ({
  reason: 'FieldValueForbidden',
  field: fieldPath(path),
  message: `Forbidden: ${why}`,
})
