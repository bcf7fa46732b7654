/** Reads single keywords of a schema as it was written. */
import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'

export const textOf = (schema: JsonObject, keyword: string): string => {
  const value = own(schema, keyword)
  return typeof value === 'string' ? value : ''
}

export const isSet = (schema: JsonObject, keyword: string): boolean => own(schema, keyword) === true

export const schemaOf = (schema: JsonObject, keyword: string): JsonObject | undefined => {
  const value = own(schema, keyword)
  return isObject(value) ? value : undefined
}

/** Sub-schemas by name, for `properties` and its like. */
export function namedSchemas(schema: JsonObject, keyword: string): [string, JsonObject][] {
  const value = own(schema, keyword)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, one]) => (isObject(one) ? [[name, one]] : []))
}

export function schemaList(schema: JsonObject, keyword: string): JsonObject[] {
  const value = own(schema, keyword)
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function textList(schema: JsonObject, keyword: string): string[] {
  const value = own(schema, keyword)
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** True for a keyword that says anything: not absent, null, false, empty. */
export function isGiven(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  if (Array.isArray(value)) return value.length > 0
  return !isObject(value) || Object.keys(value).length > 0
}
