/** The string functions of CEL's `ext.Strings`, counted in code points and charged for what they read and make. */
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'
import { charactersOf } from './characters.ts'
import { formatString, quote } from './format-string.ts'

export function registerStrings(registrar: Registrar): void {
  registerSearch(registrar)
  registerParts(registrar)
  registerChanges(registrar)
  const { add, meter } = registrar
  add('string.format(list<dyn>): string', (text: string, values: unknown[]) => formatString(text, values, meter))
  add(`${registrar.namespace('strings')}.quote(string): string`, (_: unknown, text: string) => quote(text))
}

const outOfRange = (index: bigint) => new RuleError(`index out of range: ${index}`)

function registerSearch({ replace }: Registrar): void {
  replace('string.contains(string): bool', (text: string, part: string) => text.includes(part))
  replace('string.startsWith(string): bool', (text: string, part: string) => text.startsWith(part))
  replace('string.endsWith(string): bool', (text: string, part: string) => text.endsWith(part))
  const indexOf = (text: string, part: string, from = 0n): bigint => {
    if (part === '') return from
    if (from < 0n) throw outOfRange(from)
    const characters = charactersOf(text)
    return from >= characters.length ? -1n : BigInt(characters.indexOf(part, Number(from)))
  }
  replace('string.indexOf(string): int', indexOf)
  replace('string.indexOf(string, int): int', indexOf)
  replace('string.lastIndexOf(string): int', (text: string, part: string) => {
    const characters = charactersOf(text)
    return BigInt(part === '' ? characters.length : characters.lastIndexOf(part, characters.length))
  })
  replace('string.lastIndexOf(string, int): int', (text: string, part: string, from: bigint) => {
    if (part === '') return from
    if (from < 0n) throw outOfRange(from)
    const characters = charactersOf(text)
    return from >= characters.length ? -1n : BigInt(characters.lastIndexOf(part, Number(from)))
  })
}

function registerParts({ add, replace, meter }: Registrar): void {
  add('string.charAt(int): string', (text: string, index: bigint) => {
    const characters = charactersOf(text)
    if (index < 0n || index > characters.length) throw outOfRange(index)
    return characters.slice(Number(index), Math.min(Number(index) + 1, characters.length))
  })
  replace('string.substring(int): string', (text: string, start: bigint) => {
    const characters = charactersOf(text)
    if (start < 0n || start > characters.length) throw outOfRange(start)
    return characters.slice(Number(start))
  })
  replace('string.substring(int, int): string', (text: string, start: bigint, end: bigint) => {
    if (start > end) throw new RuleError(`invalid substring range. start: ${start}, end: ${end}`)
    const characters = charactersOf(text)
    if (start < 0n || start > characters.length) throw outOfRange(start)
    if (end > characters.length) throw outOfRange(end)
    return characters.slice(Number(start), Number(end))
  })
  const split = (text: string, separator: string, limit = -1n): string[] => {
    if (limit === 0n) return []
    const parts = separator === '' ? [...text] : text.split(separator)
    meter.chargeList(parts.length)
    if (limit < 0n || parts.length <= limit) return parts
    const rest = parts.splice(Number(limit) - 1)
    return [...parts, rest.join(separator)]
  }
  replace('string.split(string): list<string>', split)
  replace('string.split(string, int): list<string>', split)
}

function registerChanges({ add, replace, meter }: Registrar): void {
  replace('string.lowerAscii(): string', (text: string) => text.replace(/[A-Z]+/g, part => part.toLowerCase()))
  replace('string.upperAscii(): string', (text: string) => text.replace(/[a-z]+/g, part => part.toUpperCase()))
  replace('string.trim(): string', trim)
  const replaceParts = (text: string, part: string, by: string, limit = -1n): string => {
    // An empty part is found before every character and at the end.
    const pieces = part === '' ? ['', ...text, ...(text === '' ? [] : [''])] : text.split(part)
    if (part === '' && text === '') pieces.push('')
    const found = pieces.length - 1
    const replaced = limit < 0n || limit > found ? found : Number(limit)
    meter.chargeText(text.length + replaced * by.length)
    return (
      pieces.slice(0, replaced + 1).join(by) +
      pieces
        .slice(replaced + 1)
        .map(piece => part + piece)
        .join('')
    )
  }
  add('string.replace(string, string): string', replaceParts)
  add('string.replace(string, string, int): string', replaceParts)
  const join = (list: Iterable<unknown>, separator = ''): string => {
    const parts: string[] = []
    let length = 0
    for (const part of list) {
      if (typeof part !== 'string') throw new RuleError(`join: invalid input: ${String(part)}`)
      length += part.length + separator.length
      parts.push(part)
    }
    meter.chargeText(length)
    return parts.join(separator)
  }
  replace('list<string>.join(): string', join)
  replace('list<string>.join(string): string', join)
}

const space = new Set(
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
)

/** Not a regular expression: those take quadratic time for the end of a text. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && space.has(text.charAt(start))) start++
  while (end > start && space.has(text.charAt(end - 1))) end--
  return text.slice(start, end)
}
