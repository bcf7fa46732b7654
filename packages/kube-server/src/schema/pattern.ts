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
  /**
   * Up to `limit` matches, leftmost first, not overlapping. Throws as `test`. Each match may look at all the rest of the
   * text: `charge` is told of that work, in characters times instructions, before it is done, and may throw.
   */
  find(text: string, limit: number, charge: (work: number) => void): string[]
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
    find(text, limit, charge) {
      guard(text)
      return findAll(compiled, text, limit, start => charge((text.length - start) * size))
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

function findAll(compiled: RE2JS, text: string, limit: number, beforeMatch: (start: number) => void): string[] {
  const found: string[] = []
  if (limit <= 0) return found
  let end = -1
  beforeMatch(0)
  for (const match of compiled.matchAll(text)) {
    const [whole = ''] = match
    // An empty match right after another one does not count.
    if (whole !== '' || match.index !== end) found.push(whole)
    end = (match.index ?? 0) + whole.length
    if (found.length >= limit) break
    beforeMatch(end)
  }
  return found
}
