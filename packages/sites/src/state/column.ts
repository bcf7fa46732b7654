/** Columns as values: a driver gives text, numbers and null. */
import type { Row } from '@godwit/store'

export const text = (row: Row, name: string): string => String(row[name] ?? '')

export const optionalText = (row: Row, name: string): string | undefined => {
  const value = row[name] ?? null
  return value === null ? undefined : String(value)
}

export const integer = (row: Row, name: string): number => Number(row[name] ?? 0)

export const optionalInteger = (row: Row, name: string): number | undefined => {
  const value = row[name] ?? null
  return value === null ? undefined : Number(value)
}
