import type { Json } from '../api/object.ts'

/** Longest text of a value inside a message: a cause must stay readable, and a 3 MiB string must not come back. */
const maxShownLength = 4096

/** A value as error messages of the API server print it: strings quoted, null as `"null"`, objects in Go syntax. */
export function goValue(value: Json | undefined): string {
  if (value === null || value === undefined) return '"null"'
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object') return String(value)
  return shortened(goSyntax(value, 0))
}

function quoted(text: string): string {
  return JSON.stringify(shortened(text)).replace(/\\u00([0-9a-f]{2})/g, '\\x$1')
}

function shortened(text: string): string {
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text
}

/** Deeper values are cut, so that hostile nesting cannot exhaust the stack. */
const maxShownDepth = 20

function goSyntax(value: Json | undefined, depth: number): string {
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object') return String(value)
  if (depth > maxShownDepth) return '…'
  if (Array.isArray(value)) return `[]interface {}{${value.map(item => goSyntax(item, depth + 1)).join(', ')}}`
  const members = Object.keys(value)
    .sort()
    .map(key => `${JSON.stringify(key)}:${goSyntax(value[key], depth + 1)}`)
  return `map[string]interface {}{${members.join(', ')}}`
}
