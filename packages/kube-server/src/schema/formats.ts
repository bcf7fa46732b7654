/** String formats that are enforced. Formats that are not listed here are ignored, as the API server does. */
import { parseIp, parseNetwork } from './ip-address.ts'
import { parseRequestUri } from './request-uri.ts'

export type FormatCheck = (text: string) => boolean

/** Longest text that a format check reads; no value of any of these formats is longer, except binary ones. */
const maxFormattedLength = 4096

const short =
  (check: FormatCheck): FormatCheck =>
  text =>
    text.length <= maxFormattedLength && check(text)
const matching = (pattern: RegExp): FormatCheck => short(text => pattern.test(text))

const checks: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ['bsonobjectid', matching(/^[0-9a-fA-F]{24}$/)],
  ['uri', text => parseRequestUri(text) !== undefined],
  ['email', short(isEmail)],
  ['hostname', short(isHostname)],
  ['ipv4', short(text => parseIp(text, true) !== undefined && text.includes('.'))],
  ['ipv6', short(text => parseIp(text) !== undefined && text.includes(':'))],
  ['cidr', short(text => parseNetwork(text, true) !== undefined)],
  ['mac', short(isMac)],
  ['uuid', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ['uuid3', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ['uuid4', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ['uuid5', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ['isbn', short(text => isIsbn10(text) || isIsbn13(text))],
  ['isbn10', short(isIsbn10)],
  ['isbn13', short(isIsbn13)],
  ['creditcard', short(isCreditCard)],
  ['ssn', matching(/^(?=.{11}$)\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ['hexcolor', matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['rgbcolor', short(isRgbColor)],
  ['byte', isBase64],
  ['password', () => true],
  ['date', short(isDate)],
  ['duration', short(isDuration)],
  ['datetime', short(isDateTime)],
])

/** The check of a format; hyphens in its name do not count (`date-time`, `datetime`). */
export function formatCheck(format: string): FormatCheck | undefined {
  return checks.get(format.replaceAll('-', ''))
}

export function isBase64(text: string): boolean {
  return text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

const daysPerMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** RFC 3339 full-date of a day that exists. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 && isLeap ? 29 : (daysPerMonth[month - 1] ?? 0)
  return day >= 1 && day <= days
}

/** RFC 3339 date-time with offset; a leap second is refused. */
export function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split('t')
  if (time === undefined || !isDate(date ?? '')) return false
  const match = /^(\d\d):(\d\d):(\d\d)(.\d+)?(z|[+-]\d\d:\d\d)$/.exec(time)
  return match !== null && Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59
}

const goDuration = /^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/
const wordDuration = /^\s*(\d+\s*[A-Za-zµ]+\s*)+$/
const unitNames = [
  /^ns$|^nano/,
  /^us$|^µs$|^micro/,
  /^ms$|^milli/,
  /^s$|^sec/,
  /^m$|^min/,
  /^h$|^hr$|^hour/,
  /^d$|^day/,
  /^w$|^wk$|^week/,
]

/** Go's notation (`1h30m`) or words (`3 days`). */
export function isDuration(text: string): boolean {
  if (text.length > 256) return false
  if (goDuration.test(text)) return true
  if (!wordDuration.test(text)) return false
  const units = text.toLowerCase().match(/[a-zµ]+/g) ?? []
  return units.some(unit => unitNames.some(name => name.test(unit)))
}

function isMac(text: string): boolean {
  const bytes = [6, 8, 20]
  for (const separator of [':', '-']) {
    const parts = text.split(separator)
    if (bytes.includes(parts.length) && parts.every(part => /^[0-9a-fA-F]{2}$/.test(part))) return true
  }
  const dotted = text.split('.')
  return bytes.includes(dotted.length * 2) && dotted.every(part => /^[0-9a-fA-F]{4}$/.test(part))
}

const hostCharacter = '[a-zA-Z0-9\\p{S}\\p{L}]'
const singleHostLabel = new RegExp(`^${hostCharacter}-?${hostCharacter}{0,62}$`, 'u')
const leadingHostLabel = new RegExp(`^${hostCharacter}(?:(?:-|${hostCharacter}){0,61}${hostCharacter})?$`, 'u')
const lastHostLabel = new RegExp(`^${hostCharacter}(?:-?${hostCharacter}){1,62}$`, 'u')

/** The last of several labels is stricter than those before it, a single one stricter still: so the real server has it. */
function isHostname(text: string): boolean {
  const labels = text.split('.')
  if (Buffer.byteLength(text) > 255 || labels.some(label => Buffer.byteLength(label) > 63)) return false
  const last = labels.pop() ?? ''
  if (labels.length === 0) return singleHostLabel.test(last)
  return lastHostLabel.test(last) && labels.every(label => leadingHostLabel.test(label))
}

const atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff-]+"
const dotAtom = `${atom}(?:\\.${atom})*`
const address = new RegExp(`^(?:${dotAtom}|"(?:[^"\\\\]|\\\\.)*")@(?:${dotAtom}|\\[[^\\[\\]\\\\]*\\])$`)

/** RFC 5322 address, bare or with a display name. */
function isEmail(text: string): boolean {
  const trimmed = text.trim()
  const open = trimmed.endsWith('>') ? trimmed.lastIndexOf('<') : -1
  if (open < 0) return address.test(trimmed)
  return !trimmed.slice(0, open).includes('<') && address.test(trimmed.slice(open + 1, -1))
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < 10; i++) sum += (i + 1) * (digits[i] === 'X' ? 10 : Number(digits[i]))
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^[0-9]{13}$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < 13; i++) sum += Number(digits[i]) * (i % 2 === 0 ? 1 : 3)
  return sum % 10 === 0
}

const cardPattern =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!cardPattern.test(digits)) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    sum += i % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)
  }
  return sum % 10 === 0
}

function isRgbColor(text: string): boolean {
  const match = /^rgb\(\s*(0|[1-9]\d{0,2})\s*,\s*(0|[1-9]\d{0,2})\s*,\s*(0|[1-9]\d{0,2})\s*\)$/.exec(text)
  return match?.slice(1).every(part => Number(part) <= 255) ?? false
}
