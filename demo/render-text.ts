/** Pieces of styled text that are cut to a width before they are coloured, so that colour never breaks a line. */
import { styleText } from 'node:util'

export type Style = 'plain' | 'strong' | 'good' | 'active' | 'bad' | 'faint'

export interface Piece {
  readonly text: string
  readonly style: Style
}

const formats = { strong: 'bold', good: 'green', active: 'cyan', bad: 'red', faint: 'dim' } as const
// Everything that terminals draw two columns wide, near enough: East Asian scripts and emoji.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const invisible = /\p{Cc}|\p{Cf}|\p{Mn}/u
// Made from its number: a control character in a pattern looks like an accident, to readers and to the linter.
const escapeSequence = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g')

export const plain = (text: string): Piece => ({ text, style: 'plain' })
export const styled = (style: Style, text: string): Piece => ({ text, style })

/** Columns that a terminal uses for the text. */
export function widthOf(text: string): number {
  let width = 0
  for (const char of text) width += columnsOf(char)
  return width
}

/** One line without line breaks, tabs and escape sequences, whatever a log brought along. */
export function oneLine(text: string): string {
  return text
    .replace(escapeSequence, '')
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim()
}

/** The text in at most `width` columns; what was cut is shown as an ellipsis. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  let used = 0
  let kept = ''
  for (const char of text) {
    used += columnsOf(char)
    if (used > width - 1) break
    kept += char
  }
  return `${kept}…`
}

/** The pieces as one line of at most `width` columns. */
export function lineOf(pieces: readonly Piece[], width: number, isColoured: boolean): string {
  let left = width
  let line = ''
  for (const { text, style } of pieces) {
    const shown = fit(text, left)
    left -= widthOf(shown)
    line += isColoured && style !== 'plain' ? styleText(formats[style], shown, { validateStream: false }) : shown
    if (shown !== text) break
  }
  return line
}

function columnsOf(char: string): number {
  if (invisible.test(char)) return 0
  return wide.test(char) ? 2 : 1
}
