/** Kubernetes quantities as numbers: cores, bytes, counts. */

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** What cannot be read is 0. */
export function quantityOf(value: string | number | undefined): number {
  if (typeof value === 'number') return value
  const [, digits, suffix = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(value ?? '') ?? []
  const factor = FACTORS[suffix]
  return digits === undefined || factor === undefined ? 0 : Number(digits) * factor
}
