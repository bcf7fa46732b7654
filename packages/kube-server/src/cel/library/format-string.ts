/** `"…%s…".format([…])` with the clauses of CEL: s, d, f, e, b, x, X, o, each with an optional precision. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import type { Meter } from '../meter.ts'
import { RuleError } from '../rule-error.ts'
import { isList, itemsOf } from '../values.ts'
import { durationText, timestampText } from './time-text.ts'

const defaultPrecision = 6
/** More digits than a double has. */
const maxPrecision = 100

export function formatString(template: string, list: unknown[] | Set<unknown>, meter: Meter): string {
  const values = itemsOf(list)
  const parts: string[] = []
  let used = 0
  let at = 0
  for (const match of template.matchAll(/%(%|(?:\.(\d*))?(.?))/gsu)) {
    parts.push(template.slice(at, match.index))
    at = match.index + match[0].length
    if (match[1] === '%') {
      parts.push('%')
      continue
    }
    if (used >= values.length) throw new RuleError(`index ${used} out of range`)
    const text = formatClause(match[3] ?? '', match[2], values[used++], meter)
    meter.chargeText(text.length)
    parts.push(text)
  }
  parts.push(template.slice(at))
  return parts.join('')
}

function formatClause(clause: string, precisionText: string | undefined, value: unknown, meter: Meter): string {
  const precision = precisionText === undefined ? defaultPrecision : Number(precisionText || Number.NaN)
  if (!(precision <= maxPrecision))
    throw new RuleError(
      'could not parse formatting clause: error while parsing precision: error while converting precision to integer',
    )
  switch (clause) {
    case '':
      throw new RuleError('unexpected end of string')
    case 's':
      return textOf(value, meter, 0)
    case 'd':
      return String(integerOf(value, 'decimal clause can only be used on integers'))
    case 'f':
      return doubleText(value, 'fixed-point clause can only be used on doubles', number => number.toFixed(precision))
    case 'e':
      return doubleText(value, 'scientific clause can only be used on doubles', number =>
        exponential(number, precision),
      )
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      return integerOf(value, 'only integers and bools can be formatted as binary').toString(2)
    case 'o':
      return integerOf(value, 'octal clause can only be used on integers').toString(8)
    case 'x':
      return hexadecimal(value)
    case 'X':
      return hexadecimal(value).toUpperCase()
    default:
      throw new RuleError(`could not parse formatting clause: unrecognized formatting clause "${clause}"`)
  }
}

const wrong = (complaint: string, value: unknown) =>
  new RuleError(`error during formatting: ${complaint}, was given ${typeName(value)}`)

function integerOf(value: unknown, complaint: string): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof UnsignedInt) return value.value
  throw wrong(complaint, value)
}

function doubleText(value: unknown, complaint: string, finite: (number: number) => string): string {
  if (value === 'NaN') return 'NaN'
  if (value === 'Infinity') return '∞'
  if (value === '-Infinity') return '-∞'
  if (typeof value !== 'number') throw wrong(complaint, value)
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞'
  return finite(value)
}

/** As `message.Printer` writes it: `1.052033 × 10⁰³`. */
function exponential(number: number, precision: number): string {
  const [mantissa = '', exponent = '+0'] = number.toExponential(precision).split('e')
  const sign = exponent.startsWith('-') ? '⁻' : '⁺'
  const digits = exponent.slice(1).padStart(2, '0')
  const superscript = [...digits].map(digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(digit))).join('')
  return `${mantissa}\u202f×\u202f10${sign === '⁻' ? '⁻' : ''}${superscript}`
}

function hexadecimal(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return integerOf(value, 'only integers, byte buffers, and strings can be formatted as hex').toString(16)
}

/** Deeper values cannot be written in a rule. */
const maxDepth = 50

function textOf(value: unknown, meter: Meter, depth: number): string {
  meter.charge(1)
  if (depth > maxDepth) throw new RuleError('value nested too deeply')
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return depth > 0 ? value.toFixed(defaultPrecision) : numberText(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return objectText(value, meter, depth)
  }
}

const numberText = (value: number) =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'

function objectText(value: unknown, meter: Meter, depth: number): string {
  if (value === null) return 'null'
  if (value instanceof UnsignedInt) return String(value.value)
  if (value instanceof Date) return depth > 0 ? `timestamp("${timestampText(value)}")` : timestampText(value)
  if (value instanceof Duration) return depth > 0 ? `duration("${durationText(value)}")` : durationText(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (isList(value)) {
    const items = itemsOf(value).map(item => literal(item, meter, depth + 1))
    meter.charge(items.length)
    return `[${items.join(', ')}]`
  }
  const members = mapMembers(value)
  if (!members)
    throw wrong(
      'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
      value,
    )
  meter.charge(members.length)
  const pairs = members.map(([key, one]) => `${literal(key, meter, depth + 1)}:${literal(one, meter, depth + 1)}`)
  return `{${pairs.sort().join(', ')}}`
}

function mapMembers(value: unknown): [unknown, unknown][] | undefined {
  if (value instanceof Map) return [...value]
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return undefined
  return Object.entries(value)
}

function literal(value: unknown, meter: Meter, depth: number): string {
  const text = textOf(value, meter, depth)
  if (typeof value === 'string') return JSON.stringify(text)
  return value instanceof Uint8Array ? `b${JSON.stringify(text)}` : text
}

function typeName(value: unknown): string {
  if (value === null) return 'null_type'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return isList(value) ? 'list' : 'map'
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
])

/** The text as a string literal. */
export function quote(text: string): string {
  let quoted = '"'
  for (const character of text.toWellFormed()) quoted += escapes.get(character) ?? character
  return `${quoted}"`
}
