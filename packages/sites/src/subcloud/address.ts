/** Addresses and subnets as numbers, of either family. Pure. */
import { isIP } from 'node:net'

export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

export interface Subnet {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

export function addressOf(text: string): Address | undefined {
  const family = isIP(text)
  if (family === 4) return { family: 4, value: numberOf(text.split('.').map(Number), 8n) }
  if (family === 6 && !text.includes('%')) return { family: 6, value: numberOf(groupsOf(text), 16n) }
  return undefined
}

/** `10.0.0.0/24`: an address in front that is not the first of the subnet makes it none. */
export function subnetOf(text: string): Subnet | undefined {
  const [start = '', prefix = '', ...more] = text.split('/')
  const address = addressOf(start)
  if (!address || more.length > 0 || !/^\d{1,3}$/.test(prefix)) return undefined
  const bits = address.family === 4 ? 32 : 128
  if (Number(prefix) > bits) return undefined
  const size = 1n << BigInt(bits - Number(prefix))
  if (address.value % size !== 0n) return undefined
  return { family: address.family, first: address.value, last: address.value + size - 1n }
}

export const sizeOf = ({ first, last }: Subnet): bigint => last - first + 1n

export const contains = (subnet: Subnet, { family, value }: Address): boolean =>
  subnet.family === family && subnet.first <= value && value <= subnet.last

export const overlap = (left: Subnet, right: Subnet): boolean =>
  left.family === right.family && left.first <= right.last && right.first <= left.last

const numberOf = (groups: readonly number[], bits: bigint): bigint =>
  groups.reduce((number, group) => (number << bits) | BigInt(group), 0n)

/** Eight of them: the gap is filled, and an IPv4 tail taken apart. */
function groupsOf(text: string): number[] {
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map(group => group.toString(16)).join(':'),
  )
  const [head = [], tail] = plain.split('::').map(part => (part === '' ? [] : part.split(':')))
  const gap = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...gap, ...(tail ?? [])].map(group => Number.parseInt(group, 16))
}
