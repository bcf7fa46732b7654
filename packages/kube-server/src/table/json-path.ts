/**
 * The part of kubectl's JSONPath that printer columns use: fields, quoted fields, indexes, slices, `*`, recursive
 * descent and filters of one comparison. Unreadable paths find nothing.
 */
import type { Json } from '../api/object.ts'

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: 'all' }
  | { readonly kind: 'descend' }
  | { readonly kind: 'filter'; readonly path: Path; readonly operator: string; readonly value: Json | undefined }

export type Path = readonly Step[]

const stepPattern =
  /\.\.|\.?\*|\[\*\]|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\]|\[\?\(\s*@([^=!<>)]*?)\s*(?:(==|!=|<=|>=|<|>)\s*([^)]*?))?\s*\)\]|\[['"]([^'"]+)['"]\]|\.?((?:[^.[\]*\\]|\\.)+)/gy

/** Accepts `.spec.a`, `{.spec.a}` and `spec.a`. */
export function parsePath(text: string): Path {
  const body = text
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$/, '')
  // A copy of the pattern each time: filters hold paths of their own, read in the middle of this one.
  const matches = [...body.matchAll(stepPattern)]
  const readChars = matches.reduce((sum, [part]) => sum + part.length, 0)
  return readChars === body.length ? matches.map(stepOf) : [{ kind: 'field', name: text }]
}

function stepOf(match: RegExpMatchArray): Step {
  const [whole, index, from, to, filterPath, operator, operand, quoted, name] = match
  if (whole === '..') return { kind: 'descend' }
  if (whole.endsWith('*') || whole === '[*]') return { kind: 'all' }
  if (index !== undefined) return { kind: 'index', index: Number(index) }
  if (from !== undefined) return { kind: 'slice', from: optional(from), to: optional(to) }
  if (filterPath !== undefined)
    return { kind: 'filter', path: parsePath(filterPath), operator: operator ?? 'exists', value: operandOf(operand) }
  return { kind: 'field', name: quoted ?? (name ?? '').replaceAll(/\\(.)/g, '$1') }
}

const optional = (text: string | undefined) => (text ? Number(text) : undefined)

function operandOf(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined
  const unquoted = text.match(/^(['"])(.*)\1$/)
  if (unquoted) return unquoted[2] ?? ''
  if (text === 'true' || text === 'false') return text === 'true'
  return Number.isNaN(Number(text)) ? text : Number(text)
}

/** All values the path leads to. */
export function evaluatePath(path: Path, root: Json): Json[] {
  let found: Json[] = [root]
  for (const step of path) found = found.flatMap(value => advance(step, value))
  return found
}

function advance(step: Step, value: Json): Json[] {
  switch (step.kind) {
    case 'field':
      return member(value, step.name)
    case 'all':
      return children(value)
    case 'descend':
      return descendants(value)
    default:
      return Array.isArray(value) ? select(step, value) : []
  }
}

function select(step: Exclude<Step, { kind: 'field' | 'all' | 'descend' }>, list: Json[]): Json[] {
  if (step.kind === 'slice') return list.slice(step.from, step.to)
  if (step.kind === 'filter') return list.filter(item => passes(step, item))
  const item = list.at(step.index)
  return item === undefined ? [] : [item]
}

function member(value: Json, name: string): Json[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || !Object.hasOwn(value, name)) return []
  const found = value[name]
  return found === undefined ? [] : [found]
}

function children(value: Json): Json[] {
  if (value === null || typeof value !== 'object') return []
  return Array.isArray(value) ? value : Object.values(value).filter(child => child !== undefined)
}

function descendants(value: Json): Json[] {
  return [value, ...children(value).flatMap(descendants)]
}

function passes({ path, operator, value }: Extract<Step, { kind: 'filter' }>, item: Json): boolean {
  const found = evaluatePath(path, item)[0]
  if (operator === 'exists') return found !== undefined
  if (found === undefined || value === undefined || value === null || found === null) return false
  switch (operator) {
    case '==':
      return found === value
    case '!=':
      return found !== value
    case '<':
      return found < value
    case '<=':
      return found <= value
    case '>':
      return found > value
    default:
      return found >= value
  }
}
