/** `ip()` and `cidr()`, as Go's net/netip answers. */
import { type IpBytes, parseIp, parseNetwork } from '../../schema/ip-address.ts'
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'

const ipType = 'net.IP'
const cidrType = 'net.CIDR'

class Ip {
  readonly bytes: IpBytes

  constructor(bytes: IpBytes) {
    this.bytes = bytes
  }

  equals(other: unknown): boolean {
    return other instanceof Ip && sameBytes(other.bytes, this.bytes)
  }
}

class Cidr {
  readonly bytes: IpBytes
  readonly prefixLength: number

  constructor(bytes: IpBytes, prefixLength: number) {
    this.bytes = bytes
    this.prefixLength = prefixLength
  }

  equals(other: unknown): boolean {
    return other instanceof Cidr && other.prefixLength === this.prefixLength && sameBytes(other.bytes, this.bytes)
  }

  masked(): Cidr {
    return new Cidr(mask(this.bytes, this.prefixLength), this.prefixLength)
  }

  contains(bytes: IpBytes): boolean {
    return sameBytes(mask(this.bytes, this.prefixLength), mask(bytes, this.prefixLength))
  }
}

const sameBytes = (left: IpBytes, right: IpBytes) =>
  left.length === right.length && left.every((byte, i) => byte === right[i])

const mask = (bytes: IpBytes, prefixLength: number) =>
  bytes.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, prefixLength - i * 8))
    return byte & (0xff << (8 - kept)) & 0xff
  })

const isMapped = (bytes: IpBytes) =>
  bytes.length === 16 && bytes.slice(0, 10).every(byte => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff

function toIp(text: string): Ip {
  const bytes = parseIp(text)
  const shown = JSON.stringify(text)
  if (!bytes) {
    if (text.includes('%') && parseIp(text.slice(0, text.indexOf('%'))))
      throw new RuleError(`IP address ${shown} with zone value is not allowed`)
    throw new RuleError(
      `IP Address ${shown} parse error during conversion from string: ParseAddr(${shown}): unable to parse IP`,
    )
  }
  if (isMapped(bytes)) throw new RuleError(`IPv4-mapped IPv6 address ${shown} is not allowed`)
  return new Ip(bytes)
}

function toCidr(text: string): Cidr {
  const network = parseNetwork(text)
  const complaint = 'network address parse error during conversion from string'
  if (!network)
    throw new RuleError(
      `${complaint}: ${complaint}: netip.ParsePrefix(${JSON.stringify(text)}): unable to parse network`,
    )
  if (isMapped(network.address))
    throw new RuleError(`${complaint}: IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  return new Cidr(network.address, network.prefixLength)
}

const succeeds = (attempt: () => unknown): boolean => {
  try {
    attempt()
    return true
  } catch (error) {
    if (error instanceof RuleError) return false
    throw error
  }
}

export function registerIp({ env, add, namespace }: Registrar): void {
  env.registerType(ipType, { ctor: Ip, fields: {} })
  env.registerOperator(`${ipType} == ${ipType}`, (left: Ip, right: Ip) => left.equals(right))
  add(`ip(string): ${ipType}`, toIp)
  add('isIP(string): bool', (text: string) => succeeds(() => toIp(text)))
  add(`string(${ipType}): string`, (ip: Ip) => ipText(ip.bytes))
  add(`${namespace('ip')}.isCanonical(string): bool`, (_: unknown, text: string) => ipText(toIp(text).bytes) === text)
  add(`${ipType}.family(): int`, (ip: Ip) => (ip.bytes.length === 4 ? 4n : 6n))
  const tests: readonly [string, (bytes: IpBytes) => boolean][] = [
    ['isUnspecified', isUnspecified],
    ['isLoopback', isLoopback],
    ['isLinkLocalMulticast', isLinkLocalMulticast],
    ['isLinkLocalUnicast', isLinkLocalUnicast],
    ['isGlobalUnicast', isGlobalUnicast],
  ]
  for (const [name, test] of tests) add(`${ipType}.${name}(): bool`, (ip: Ip) => test(ip.bytes))
}

export function registerCidr({ env, add }: Registrar): void {
  env.registerType(cidrType, { ctor: Cidr, fields: {} })
  env.registerOperator(`${cidrType} == ${cidrType}`, (left: Cidr, right: Cidr) => left.equals(right))
  add(`cidr(string): ${cidrType}`, toCidr)
  add('isCIDR(string): bool', (text: string) => succeeds(() => toCidr(text)))
  add(`string(${cidrType}): string`, (cidr: Cidr) => `${ipText(cidr.bytes)}/${cidr.prefixLength}`)
  add(`${cidrType}.ip(): ${ipType}`, (cidr: Cidr) => new Ip(cidr.bytes))
  add(`${cidrType}.prefixLength(): int`, (cidr: Cidr) => BigInt(cidr.prefixLength))
  add(`${cidrType}.masked(): ${cidrType}`, (cidr: Cidr) => cidr.masked())
  add(`${cidrType}.containsIP(string): bool`, (cidr: Cidr, text: string) => cidr.contains(toIp(text).bytes))
  add(`${cidrType}.containsIP(${ipType}): bool`, (cidr: Cidr, ip: Ip) => cidr.contains(ip.bytes))
  const holds = (outer: Cidr, inner: Cidr) =>
    outer.prefixLength <= inner.prefixLength && sameBytes(outer.masked().bytes, mask(inner.bytes, outer.prefixLength))
  add(`${cidrType}.containsCIDR(string): bool`, (cidr: Cidr, text: string) => holds(cidr, toCidr(text)))
  add(`${cidrType}.containsCIDR(${cidrType}): bool`, holds)
}

/** `net.IP` and `net.CIDR` as values, for `type(x) == net.IP`. */
export function registerNetTypes({ env }: Registrar): void {
  const types = { IP: env.evaluate("type(ip('::'))"), CIDR: env.evaluate("type(cidr('::/0'))") }
  env.registerConstant('net', 'map<string, type>', types)
}

const isV4 = (bytes: IpBytes) => bytes.length === 4
const [first, second] = [(bytes: IpBytes) => bytes[0] ?? 0, (bytes: IpBytes) => bytes[1] ?? 0]

function isUnspecified(bytes: IpBytes): boolean {
  return bytes.every(byte => byte === 0)
}

function isLoopback(bytes: IpBytes): boolean {
  if (isV4(bytes)) return first(bytes) === 127
  return bytes.slice(0, 15).every(byte => byte === 0) && bytes[15] === 1
}

function isMulticast(bytes: IpBytes): boolean {
  return isV4(bytes) ? (first(bytes) & 0xf0) === 0xe0 : first(bytes) === 0xff
}

function isLinkLocalMulticast(bytes: IpBytes): boolean {
  if (isV4(bytes)) return first(bytes) === 224 && second(bytes) === 0 && bytes[2] === 0
  return first(bytes) === 0xff && (second(bytes) & 0x0f) === 2
}

function isLinkLocalUnicast(bytes: IpBytes): boolean {
  if (isV4(bytes)) return first(bytes) === 169 && second(bytes) === 254
  return first(bytes) === 0xfe && (second(bytes) & 0xc0) === 0x80
}

function isGlobalUnicast(bytes: IpBytes): boolean {
  if (isV4(bytes) && bytes.every(byte => byte === 255)) return false
  return !isUnspecified(bytes) && !isLoopback(bytes) && !isMulticast(bytes) && !isLinkLocalUnicast(bytes)
}

/** Canonical text: dotted, or RFC 5952. */
function ipText(bytes: IpBytes): string {
  if (isV4(bytes)) return bytes.join('.')
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  const { start, length } = longestZeroRun(groups)
  const hex = (part: readonly number[]) => part.map(group => group.toString(16)).join(':')
  if (length < 2) return hex(groups)
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (start + length < groups.length && groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}
