/** Text as rules count it: in Unicode code points, not in UTF-16 units. */
export interface Characters {
  readonly length: number
  /** Half-open range; bounds must lie inside. */
  slice(start: number, end?: number): string
  /** Position of a part at or after `from`; -1 when there is none. */
  indexOf(part: string, from: number): number
  /** Position of the last occurrence that starts at or before `from`. */
  lastIndexOf(part: string, from: number): number
}

const surrogate = /[\ud800-\udfff]/

export function charactersOf(text: string): Characters {
  return surrogate.test(text) ? wide(text) : text
}

function wide(text: string): Characters {
  const points = [...text]
  /** UTF-16 offset of each character, and of the end. */
  const offsets = [0]
  for (const point of points) offsets.push((offsets.at(-1) ?? 0) + point.length)
  const unit = (index: number) => offsets[index] ?? text.length
  const character = (offset: number) => (offset < 0 ? -1 : offsets.indexOf(offset))
  return {
    length: points.length,
    slice: (start, end) => text.slice(unit(start), unit(end ?? points.length)),
    indexOf: (part, from) => character(text.indexOf(part, unit(from))),
    lastIndexOf: (part, from) => character(text.lastIndexOf(part, unit(from))),
  }
}
