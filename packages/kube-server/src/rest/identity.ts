/** Names and uids that the server makes up. */
import type { Random } from '@godwit/ports'

/** Letters that cannot form words. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'
const suffixLength = 5
const maxPrefixLength = 63 - suffixLength

/** Completes `generateName`. */
export function generatedName(prefix: string, random: Random): string {
  let name = prefix.slice(0, maxPrefixLength)
  for (let i = 0; i < suffixLength; i++) name += suffixAlphabet[Math.floor(random.next() * suffixAlphabet.length)]
  return name
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

/** A version 4 UUID from the random port, so that a seeded server repeats itself. */
export function newUid(random: Random): string {
  const part = () => Math.floor(random.next() * 0x1_0000)
  const a = hex(part(), 4) + hex(part(), 4)
  const version = hex((part() & 0x0fff) | 0x4000, 4)
  const variant = hex((part() & 0x3fff) | 0x8000, 4)
  return `${a}-${hex(part(), 4)}-${version}-${variant}-${hex(part(), 4)}${hex(part(), 4)}${hex(part(), 4)}`
}
