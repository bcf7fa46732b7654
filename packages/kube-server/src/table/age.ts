/** Durations as kubectl prints them: `5s`, `3m20s`, `5m`, `3h`, `2d`. */
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

/** How long ago `timestamp` (RFC 3339) was; `<unknown>` when it is missing, `<invalid>` when unreadable. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  if (!timestamp) return '<unknown>'
  const then = Date.parse(timestamp)
  return Number.isNaN(then) ? '<invalid>' : humanDuration(nowMs - then)
}

export function humanDuration(durationMs: number): string {
  if (durationMs < -second) return '<invalid>'
  const span = Math.max(0, durationMs)
  if (span < 2 * minute) return `${Math.floor(span / second)}s`
  if (span < 10 * minute) return pair(span, minute, 'm', second, 's')
  if (span < 3 * hour) return `${Math.floor(span / minute)}m`
  if (span < 8 * hour) return pair(span, hour, 'h', minute, 'm')
  if (span < 2 * day) return `${Math.floor(span / hour)}h`
  if (span < 8 * day) return pair(span, day, 'd', hour, 'h')
  if (span < 2 * year) return `${Math.floor(span / day)}d`
  if (span < 8 * year) return pair(span, year, 'y', day, 'd')
  return `${Math.floor(span / year)}y`
}

function pair(span: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((span % big) / small)
  return `${Math.floor(span / big)}${bigUnit}${rest > 0 ? `${rest}${smallUnit}` : ''}`
}
