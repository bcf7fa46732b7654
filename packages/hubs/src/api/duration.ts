const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** What a Go duration looks like (`10m`, `1h30m`, `1.5s`), without a sign; used in the CRD as well. */
export const DURATION_PATTERN = '^([0-9]+(\\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$'

/** Milliseconds of a Go duration; undefined when the text is not one, or not positive. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(DURATION_PATTERN).test(text)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|s|m|h)/g))
    totalMs += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0)
  return totalMs > 0 ? totalMs : undefined
}
