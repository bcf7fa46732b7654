/** matches, find and findAll on RE2, with patterns from the rule compiled once and patterns from data bounded. */
import { compilePattern, type Pattern, PatternError } from '../../schema/pattern.ts'
import { maxListLength } from '../meter.ts'
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'

/** How many patterns are kept; rules have few, but a pattern may come from data. */
const maxKeptPatterns = 64
/** A pattern that comes from data: parsing it costs far more than matching. */
const patternCost = 200

export function registerRegex({ add, replace, meter }: Registrar): void {
  const patterns = new Map<string, Pattern>()
  const patternOf = (source: string) => {
    const known = patterns.get(source)
    if (known) return known
    meter.charge(patternCost + source.length)
    if (patterns.size >= maxKeptPatterns) patterns.clear()
    const compiled = compilePattern(source)
    patterns.set(source, compiled)
    return compiled
  }
  // An automaton takes up to a step for each character and instruction; most matches stop far earlier.
  const charge = (work: number) => meter.charge(1 + work / 10)
  const run = <Result>(source: string, use: (pattern: Pattern) => Result): Result => {
    try {
      return use(patternOf(source))
    } catch (error) {
      throw error instanceof PatternError ? new RuleError(error.message) : error
    }
  }
  const matches = (text: string, source: string) =>
    run(source, pattern => {
      charge(text.length * pattern.size)
      return pattern.test(text)
    })
  replace('string.matches(string): bool', matches)
  add('matches(string, string): bool', matches)
  add('string.find(string): string', (text: string, source: string) =>
    run(source, pattern => pattern.find(text, 1, charge)[0] ?? ''),
  )
  const findAll = (text: string, source: string, limit = -1n): string[] => {
    const most = limit < 0n || limit > maxListLength ? maxListLength : Number(limit)
    const found = run(source, pattern => pattern.find(text, most, charge))
    meter.chargeList(10 * found.length)
    return found
  }
  add('string.findAll(string): list<string>', findAll)
  add('string.findAll(string, int): list<string>', findAll)
}
