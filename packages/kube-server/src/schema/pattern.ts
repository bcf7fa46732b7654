/** Regular expressions in RE2 syntax, matched in linear time, with a bound on the work of one match. */
import { RE2JS } from 're2js'

export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Longer patterns are refused before they are parsed. */
const maxPatternLength = 10_000

/** Instructions of one compiled pattern; the library's own limit on repetition leaves room for more. */
const maxProgramSize = 5_000

/**
 * Characters times instructions of one match: the bound of an automaton without luck, under a second. A match that could
 * cost more is refused, because nobody else is served meanwhile. Real patterns have less than a hundred instructions.
 */
export const maxMatchWork = 10_000_000

/** One compiled pattern; unanchored, as in JSON schema. */
export interface Pattern {
  readonly source: string
  /** Instructions: what one character may cost at worst. */
  readonly size: number
  /** Throws `PatternError` when the text is too long for so large a pattern. */
  test(text: string): boolean
  /** Up to `limit` matches, leftmost first, not overlapping. Throws as `test`. */
  find(text: string, limit: number): string[]
}

/** Throws `PatternError` with the complaint of the RE2 parser. */
export function compilePattern(source: string): Pattern {
  if (source.length > maxPatternLength) throw new PatternError(`expression longer than ${maxPatternLength} characters`)
  const compiled = parse(source)
  const size = compiled.programSize()
  if (size > maxProgramSize) throw new PatternError('expression too large')
  const guard = (text: string) => {
    if (text.length * size > maxMatchWork) throw new PatternError('text too long for this expression')
  }
  return {
    source,
    size,
    test(text) {
      guard(text)
      return compiled.test(text)
    },
    find(text, limit) {
      guard(text)
      return findAll(compiled, text, limit)
    },
  }
}

function parse(source: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error))
  }
}

function findAll(compiled: RE2JS, text: string, limit: number): string[] {
  const found: string[] = []
  for (const match of compiled.matchAll(text)) {
    if (found.length >= limit) break
    found.push(match[0] ?? '')
  }
  return found
}
