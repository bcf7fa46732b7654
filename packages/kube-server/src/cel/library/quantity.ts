/** `quantity()`: resource amounts such as `500m`, `1.5Gi`, `2e3`; exact, in units of 10⁻⁹. */
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'

const typeName = 'kubernetes.Quantity'
const nano = 1_000_000_000n
const maxInt = 2n ** 63n - 1n
/** Longer texts are no amounts; the bound also keeps powers of ten small. */
const maxTextLength = 128
const maxExponent = 300

const decimalSuffixes: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

class Quantity {
  readonly nanos: bigint
  /** Kept as a 64-bit number and a scale; only then can it become an integer again. */
  readonly isCompact: boolean

  constructor(nanos: bigint, isCompact: boolean) {
    this.nanos = nanos
    this.isCompact = isCompact
  }

  equals(other: unknown): boolean {
    return other instanceof Quantity && other.nanos === this.nanos
  }

  compare(other: Quantity): bigint {
    if (this.nanos === other.nanos) return 0n
    return this.nanos < other.nanos ? -1n : 1n
  }

  plus(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, this.isCompact && other.isCompact)
  }

  minus(other: Quantity): Quantity {
    return new Quantity(this.nanos - other.nanos, this.isCompact && other.isCompact)
  }

  /** Undefined when the amount is no 64-bit integer. */
  integer(): bigint | undefined {
    const whole = this.nanos / nano
    const isExact = whole * nano === this.nanos
    return this.isCompact && isExact && whole <= maxInt && whole >= -maxInt ? whole : undefined
  }
}

const wrongFormat = () =>
  new RuleError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
const wrongSuffix = () => new RuleError("unable to parse quantity's suffix")

function parseQuantity(text: string): Quantity {
  const match = text.length <= maxTextLength ? /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text) : null
  if (!match || text === '') throw wrongFormat()
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  const digits = whole.replace(/^0+/, '')
  const { factor, divisor, isBinary, power } = scaleOf(suffix)
  const magnitude = BigInt(whole + fraction || '0')
  const scaled = ceilDivide(magnitude * factor * nano, divisor * 10n ** BigInt(fraction.length))
  const isCompact = isBinary
    ? fraction === '' && 15 - digits.length - Math.trunc((power * 3) / 10) - 1 >= 0
    : digits.length + fraction.length <= 18 && power - fraction.length >= -9
  return new Quantity(sign === '-' ? -scaled : scaled, isCompact)
}

interface Scale {
  readonly factor: bigint
  readonly divisor: bigint
  readonly isBinary: boolean
  /** Of ten, or of two. */
  readonly power: number
}

function scaleOf(suffix: string): Scale {
  const binary = binarySuffixes.indexOf(suffix)
  if (binary >= 0) {
    const power = 10 * (binary + 1)
    return { factor: 1n << BigInt(power), divisor: 1n, isBinary: true, power }
  }
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1]
  const power = exponent === undefined ? decimalSuffixes.get(suffix) : Number(exponent)
  if (power === undefined || Math.abs(power) > maxExponent) throw wrongSuffix()
  const scale = 10n ** BigInt(Math.abs(power))
  return { factor: power >= 0 ? scale : 1n, divisor: power >= 0 ? 1n : scale, isBinary: false, power }
}

/** Less than 10⁻⁹ rounds away from zero. */
const ceilDivide = (a: bigint, b: bigint) => (a + b - 1n) / b

export function registerQuantity({ env, add }: Registrar): void {
  env.registerType(typeName, { ctor: Quantity, fields: {} })
  env.registerOperator(`${typeName} == ${typeName}`, (left: Quantity, right: Quantity) => left.equals(right))
  add(`quantity(string): ${typeName}`, parseQuantity)
  add('isQuantity(string): bool', isQuantity)
  add(`sign(${typeName}): int`, (one: Quantity) => BigInt(one.nanos > 0n ? 1 : one.nanos < 0n ? -1 : 0))
  add(`${typeName}.isInteger(): bool`, (one: Quantity) => one.integer() !== undefined)
  add(`${typeName}.asInteger(): int`, (one: Quantity) => {
    const integer = one.integer()
    if (integer === undefined) throw new RuleError('cannot convert value to integer')
    return integer
  })
  add(
    `${typeName}.asApproximateFloat(): double`,
    (one: Quantity) => Number(one.nanos / nano) + Number(one.nanos % nano) / 1e9,
  )
  add(`${typeName}.isGreaterThan(${typeName}): bool`, (one: Quantity, other: Quantity) => one.compare(other) > 0n)
  add(`${typeName}.isLessThan(${typeName}): bool`, (one: Quantity, other: Quantity) => one.compare(other) < 0n)
  add(`${typeName}.compareTo(${typeName}): int`, (one: Quantity, other: Quantity) => one.compare(other))
  add(`${typeName}.add(${typeName}): ${typeName}`, (one: Quantity, other: Quantity) => one.plus(other))
  add(`${typeName}.add(int): ${typeName}`, (one: Quantity, other: bigint) => one.plus(new Quantity(other * nano, true)))
  add(`${typeName}.sub(${typeName}): ${typeName}`, (one: Quantity, other: Quantity) => one.minus(other))
  add(`${typeName}.sub(int): ${typeName}`, (one: Quantity, other: bigint) =>
    one.minus(new Quantity(other * nano, true)),
  )
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text)
    return true
  } catch (error) {
    if (error instanceof RuleError) return false
    throw error
  }
}
