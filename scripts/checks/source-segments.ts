/**
 * Cuts TypeScript or JavaScript into code, comments and literals, so that a rule about code is never fooled by
 * prose. It is a scanner, not a parser: it knows where literals begin and end, nothing more.
 */

export type SegmentKind = 'code' | 'comment' | 'string' | 'regex'

/** A half-open range of the source. Quotes belong to a string; the code inside a template's `${…}` is code. */
export interface Segment {
  readonly kind: SegmentKind
  readonly start: number
  readonly end: number
}

const wordBeforeRegex =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|yield|await|instanceof)$/

/** Covers the whole text, in order, without gaps. An unterminated literal runs to the end. */
export function segmentsOf(source: string): Segment[] {
  return new Scanner(source).run()
}

/** The source with everything but code blanked; line breaks and offsets stay, and so do the quotes of strings. */
export function codeOf(source: string): string {
  return segmentsOf(source)
    .map(segment => (segment.kind === 'code' ? source.slice(segment.start, segment.end) : blanked(source, segment)))
    .join('')
}

/** The source with everything but comments blanked; offsets stay. */
export function commentsOf(source: string): string {
  return segmentsOf(source)
    .map(({ kind, start, end }) => {
      const text = source.slice(start, end)
      return kind === 'comment' ? text : text.replace(/[^\n]/g, ' ')
    })
    .join('')
}

/** The 1-based line that an offset lies on. */
export function lineAt(source: string, offset: number): number {
  let line = 1
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) line += 1
  return line
}

function blanked(source: string, { kind, start, end }: Segment): string {
  const text = source.slice(start, end)
  const blank = text.replace(/[^\n]/g, ' ')
  if (kind !== 'string') return blank
  const quotes = new Set(['"', "'", '`'])
  return [...blank].map((char, at) => (isEdge(text, at) && quotes.has(text[at] ?? '') ? text[at] : char)).join('')
}

function isEdge(text: string, at: number): boolean {
  return at === 0 || at === text.length - 1
}

class Scanner {
  readonly #source: string
  readonly #segments: Segment[] = []
  /** Depth of braces at which each open `${` closes again. */
  readonly #templates: number[] = []
  #at = 0
  #codeStart = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
  }

  run(): Segment[] {
    while (this.#at < this.#source.length) this.#step()
    this.#flushCode(this.#at)
    return this.#segments
  }

  #step(): void {
    const literal = this.#literal()
    if (literal) {
      this.#take(...literal)
      return
    }
    const char = this.#source[this.#at]
    this.#at += 1
    if (char === '{') this.#depth += 1
    if (char === '}') this.#depth -= 1
  }

  /** The comment or literal that begins here, as its kind and where it ends; undefined for code. */
  #literal(): [SegmentKind, number] | undefined {
    const char = this.#source[this.#at]
    const next = this.#source[this.#at + 1]
    if (char === '#' && next === '!' && this.#at === 0) return ['comment', this.#endOfLine()]
    if (char === '/' && next === '/') return ['comment', this.#endOfLine()]
    if (char === '/' && next === '*') return ['comment', this.#after('*/', this.#at + 2)]
    if (char === '"' || char === "'") return ['string', this.#endOfQuoted(char)]
    if (char === '`') return ['string', this.#endOfTemplatePart()]
    if (char === '/' && this.#regexMayStart()) return ['regex', this.#endOfRegex()]
    if (char !== '}' || this.#templates.at(-1) !== this.#depth) return undefined
    this.#templates.pop()
    this.#depth -= 1
    return ['string', this.#endOfTemplatePart()]
  }

  /** From a backtick, or from the brace that ends an embedded expression, to the next embedded one or the end. */
  #endOfTemplatePart(): number {
    let at = this.#at + 1
    while (at < this.#source.length) {
      const char = this.#source[at]
      if (char === '`') return at + 1
      if (char === '$' && this.#source[at + 1] === '{') {
        this.#depth += 1
        this.#templates.push(this.#depth)
        return at + 2
      }
      at += char === '\\' ? 2 : 1
    }
    return at
  }

  #take(kind: SegmentKind, end: number): void {
    this.#flushCode(this.#at)
    const bounded = Math.min(end, this.#source.length)
    this.#segments.push({ kind, start: this.#at, end: bounded })
    this.#at = bounded
    this.#codeStart = bounded
  }

  #flushCode(end: number): void {
    if (end > this.#codeStart) this.#segments.push({ kind: 'code', start: this.#codeStart, end })
    this.#codeStart = end
  }

  #endOfLine(): number {
    const end = this.#source.indexOf('\n', this.#at)
    return end === -1 ? this.#source.length : end
  }

  #after(mark: string, from: number): number {
    const found = this.#source.indexOf(mark, from)
    return found === -1 ? this.#source.length : found + mark.length
  }

  #endOfQuoted(quote: string): number {
    let at = this.#at + 1
    while (at < this.#source.length) {
      const char = this.#source[at]
      if (char === quote) return at + 1
      if (char === '\n') return at
      at += char === '\\' ? 2 : 1
    }
    return at
  }

  #endOfRegex(): number {
    let at = this.#at + 1
    let inClass = false
    while (at < this.#source.length && this.#source[at] !== '\n') {
      const char = this.#source[at]
      if (char === '[') inClass = true
      if (char === ']') inClass = false
      if (char === '/' && !inClass) return at + 1
      at += char === '\\' ? 2 : 1
    }
    return at
  }

  /** A slash after a value divides; after an operator, a keyword or nothing it opens a regular expression. */
  #regexMayStart(): boolean {
    const last = this.#segments.at(-1)
    const code = this.#source.slice(this.#codeStart, this.#at).trimEnd()
    if (code === '') return last === undefined || last.kind === 'comment'
    return /[^\w$)\].'"`]$/.test(code) || wordBeforeRegex.test(code)
  }
}
