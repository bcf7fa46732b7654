/** Limits on single values: strings, numbers, enums, sizes. */
import type { Json } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { sameJson } from '../patch/json-value.ts'
import { badValue, notSupported, tooLong, tooMany, wrongType } from './causes.ts'
import type { PathPart } from './field-path.ts'
import { maxMatchWork, type Pattern, PatternError } from './pattern.ts'
import type { EnumValues, NumberLimits, SchemaNode, SizeLimits, StringLimits } from './schema-node.ts'

/** Where causes go, and where in the value the walk stands. */
export interface Findings {
  readonly path: PathPart[]
  readonly causes: Cause[]
  readonly patterns: PatternBudget
}

/** Work of all pattern matches of one object together, as `maxMatchWork` counts it for one. */
const maxPatternWork = 6 * maxMatchWork

export class PatternBudget {
  #left = maxPatternWork

  /** Throws `PatternError` when the object has used up its share. */
  charge(text: string, pattern: Pattern): void {
    this.#left -= text.length * pattern.size
    if (this.#left < 0) throw new PatternError('too much text for the patterns of this schema')
  }
}

export function checkString(limits: StringLimits, value: string, { path, causes, patterns }: Findings): void {
  const { minLength, maxLength } = limits
  if (maxLength !== undefined && value.length > maxLength && countCharacters(value) > maxLength)
    causes.push(tooLong(path, maxLength))
  if (minLength !== undefined && countCharacters(value) < minLength)
    causes.push(badValue(path, value, `should be at least ${minLength} chars long`))
  if (limits.pattern) {
    const complaint = patternComplaint(limits.pattern, value, patterns)
    if (complaint) causes.push(badValue(path, value, complaint))
  }
}

function patternComplaint(pattern: () => Pattern, value: string, budget: PatternBudget): string | undefined {
  try {
    const compiled = pattern()
    budget.charge(value, compiled)
    return compiled.test(value) ? undefined : `should match '${compiled.source}'`
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return `could not be matched: ${error.message}`
  }
}

/** Unicode code points. */
export function countCharacters(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const code = text.charCodeAt(i)
    if (code < 0xd800 || code > 0xdbff) continue
    const next = text.charCodeAt(i + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--
      i++
    }
  }
  return count
}

export function checkFormat(node: SchemaNode, value: string, { path, causes }: Findings): void {
  if (node.formatCheck && !node.formatCheck(value)) causes.push(wrongType(path, node.format, value))
}

export function checkNumber(limits: NumberLimits, value: number, { path, causes }: Findings): void {
  const { minimum, maximum, multipleOf } = limits
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf))
    causes.push(badValue(path, value, `should be a multiple of ${multipleOf}`))
  if (maximum !== undefined && (limits.exclusiveMaximum ? value >= maximum : value > maximum))
    causes.push(badValue(path, value, `should be less than ${limits.exclusiveMaximum ? '' : 'or equal to '}${maximum}`))
  if (minimum !== undefined && (limits.exclusiveMinimum ? value <= minimum : value < minimum))
    causes.push(
      badValue(path, value, `should be greater than ${limits.exclusiveMinimum ? '' : 'or equal to '}${minimum}`),
    )
}

/** As the real server computes it, in doubles: a quotient just below a whole number does not count as one. */
function isMultiple(value: number, factor: number): boolean {
  if (Number.isInteger(value) && factor >= 1) return value % Math.trunc(factor) === 0
  const quotient = factor < 1 ? (1 / factor) * value : value / factor
  const whole = Math.trunc(quotient)
  return quotient === whole || Math.abs(quotient - whole) / (Math.abs(quotient) + Math.abs(whole)) < 1e-9
}

export function checkEnum(values: EnumValues, value: Json, { path, causes }: Findings): void {
  const isScalar = typeof value !== 'object' || value === null
  const isKnown = isScalar ? values.scalars.has(value) : values.list.some(one => sameJson(one, value))
  if (!isKnown) causes.push(notSupported(path, value, values.list))
}

export function checkSize(
  limits: SizeLimits,
  size: number,
  unit: 'items' | 'properties',
  { path, causes }: Findings,
): void {
  if (limits.min !== undefined && size < limits.min)
    causes.push(badValue(path, size, `should have at least ${limits.min} ${unit}`))
  if (limits.max !== undefined && size > limits.max) causes.push(tooMany(path, size, limits.max))
}
