const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A Kubernetes quantity as a number; undefined when it is none. */
export function quantity(value: string | number | undefined): number | undefined {
  if (typeof value === 'number') return value
  const match = /^([+-]?[0-9.]+(?:e[+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(value ?? '')
  const factor = SUFFIXES[match?.[2] ?? '']
  const number = Number(match?.[1])
  return match && factor !== undefined && Number.isFinite(number) ? number * factor : undefined
}
