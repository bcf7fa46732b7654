/** Textual IP addresses and networks, read as strictly as Go's `net/netip` and `net` do. */

/** Bytes of an address: 4 for IPv4, 16 for IPv6. */
export type IpBytes = readonly number[]

/**
 * Reads a dotted IPv4 or an IPv6 address without zone; undefined when it is neither. `lenient`: leading zeros in dotted
 * addresses are read as decimal, as long-standing data has them.
 */
export function parseIp(text: string, lenient = false): IpBytes | undefined {
  if (text.length > 45) return undefined
  return text.includes(':') ? parseIpv6(text) : parseIpv4(lenient ? withoutLeadingZeros(text) : text)
}

const withoutLeadingZeros = (text: string) => text.replace(/(^|[./])0+(?=[0-9])/g, '$1')

function parseIpv4(text: string): IpBytes | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes: number[] = []
  for (const part of parts) {
    // A leading zero is refused: some readers take it for octal.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined
    const byte = Number(part)
    if (byte > 255) return undefined
    bytes.push(byte)
  }
  return bytes
}

function parseIpv6(text: string): IpBytes | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = [groups(halves[0] ?? '', halves.length === 1), groups(halves[1] ?? '', true)]
  if (!head || !tail) return undefined
  if (halves.length === 1) return head.length === 16 ? head : undefined
  const gap = 16 - head.length - tail.length
  // `::` stands for at least one group.
  return gap >= 2 ? [...head, ...Array<number>(gap).fill(0), ...tail] : undefined
}

/** Bytes of colon-separated groups; the last one may be a dotted IPv4 address when `mayEndDotted`. */
function groups(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const dotted = mayEndDotted && i === parts.length - 1 ? parseIpv4(part) : undefined
      if (!dotted) return undefined
      bytes.push(...dotted)
      continue
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
    const group = Number.parseInt(part, 16)
    bytes.push(group >> 8, group & 0xff)
  }
  return bytes
}

export interface Network {
  readonly address: IpBytes
  readonly prefixLength: number
}

/** Reads `address/prefixLength`; undefined when malformed. */
export function parseNetwork(source: string, lenient = false): Network | undefined {
  const text = lenient ? withoutLeadingZeros(source) : source
  const slash = text.lastIndexOf('/')
  if (slash < 0) return undefined
  const address = parseIp(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (!address || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined
  const prefixLength = Number(digits)
  return prefixLength <= address.length * 8 ? { address, prefixLength } : undefined
}
