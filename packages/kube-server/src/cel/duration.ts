const nanosPer: readonly (readonly [RegExp, bigint])[] = [
  [/^(ns|nano.*)$/, 1n],
  [/^(us|µs|μs|micro.*)$/, 1_000n],
  [/^(ms|milli.*)$/, 1_000_000n],
  [/^(s|sec.*)$/, 1_000_000_000n],
  [/^(m|min.*)$/, 60_000_000_000n],
  [/^(h|hr|hour.*)$/, 3_600_000_000_000n],
  [/^(d|day.*)$/, 86_400_000_000_000n],
  [/^(w|wk|week.*)$/, 604_800_000_000_000n],
]

/** Longer texts are no durations. */
const maxLength = 256

/** Nanoseconds of `1h30m`, `-1.5s`, `3 days`; undefined when the text is no duration. */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > maxLength) return undefined
  const signed = /^([+-]?)(.*)$/s.exec(text)
  const body = signed?.[2] ?? ''
  if (body === '0') return 0n
  if (!/^\s*(?:(?:\d+(?:\.\d*)?|\.\d+)\s*[A-Za-zµμ]+\s*)+$/.test(body)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(/(\d*)\.?(\d*)\s*([A-Za-zµμ]+)/g)) {
    const nanos = nanosPer.find(([name]) => name.test(unit.toLowerCase()))?.[1]
    if (nanos === undefined) return undefined
    total += BigInt(whole || '0') * nanos + (BigInt(fraction || '0') * nanos) / 10n ** BigInt(fraction.length)
  }
  return signed?.[1] === '-' ? -total : total
}
