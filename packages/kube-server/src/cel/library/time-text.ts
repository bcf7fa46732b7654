import type { Duration } from '@marcbachmann/cel-js/evaluator'

/** RFC 3339, without trailing zeros of the fraction. */
export function timestampText(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, 'Z')
}

/** Seconds with a fraction where needed: `90s`, `0.5s`. */
export function durationText(duration: Duration): string {
  const nanos = duration.seconds * 1_000_000_000n + BigInt(duration.nanos)
  const sign = nanos < 0n ? '-' : ''
  const magnitude = nanos < 0n ? -nanos : nanos
  const fraction = (magnitude % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${magnitude / 1_000_000_000n}${fraction && `.${fraction}`}s`
}
