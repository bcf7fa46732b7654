/** List functions of Kubernetes: sum, min, max, isSorted, indexOf, lastIndexOf; and the sets of CEL. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'
import { compareNumbers, contains, isList, itemsOf, sameValue, sizeOf } from '../values.ts'

type List = unknown[] | Set<unknown>

const timestamp = 'google.protobuf.Timestamp'
const duration = 'google.protobuf.Duration'
const comparable = ['int', 'uint', 'double', 'bool', duration, timestamp, 'string', 'bytes']

export function registerLists(registrar: Registrar): void {
  const { add, replace, meter } = registrar
  for (const type of comparable) {
    add(`list<${type}>.isSorted(): bool`, (list: List) => {
      const items = charged(list, registrar)
      return items.every((item, i) => i === 0 || compare(items[i - 1], item) <= 0)
    })
    add(`list<${type}>.min(): ${type}`, (list: List) => extreme('min', charged(list, registrar), -1))
    add(`list<${type}>.max(): ${type}`, (list: List) => extreme('max', charged(list, registrar), 1))
  }
  registerSums(registrar)
  replace('list<A>.indexOf(A): int', (list: List, item: unknown) =>
    BigInt(itemsOf(list).findIndex(one => sameValue(one, item, meter))),
  )
  replace('list<A>.lastIndexOf(A): int', (list: List, item: unknown) =>
    BigInt(itemsOf(list).findLastIndex(one => sameValue(one, item, meter))),
  )
}

function charged(list: List, { meter }: Registrar): unknown[] {
  meter.charge(sizeOf(list))
  return itemsOf(list)
}

function extreme(name: string, items: readonly unknown[], sign: number): unknown {
  if (items.length === 0) throw new RuleError(`${name} called on empty list`)
  return items.reduce((best, item) => (Math.sign(compare(item, best)) === sign ? item : best))
}

/** Order of two values of one comparable type. */
function compare(left: unknown, right: unknown): number {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : Number(left > right)
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right)
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right)
  if (left instanceof Date && right instanceof Date) return left.getTime() - right.getTime()
  if (left instanceof Duration && right instanceof Duration) return compareNumbers(nanosOf(left), nanosOf(right))
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right)
  throw new RuleError('no such overload')
}

const isNumber = (value: unknown): value is number | bigint | UnsignedInt =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof UnsignedInt

const nanosOf = (one: Duration) => one.seconds * 1_000_000_000n + BigInt(one.nanos)
const minInt = -(2n ** 63n)
const maxInt = 2n ** 63n - 1n

function registerSums(registrar: Registrar): void {
  const { add } = registrar
  add('list<int>.sum(): int', (list: List) => {
    const sum = total(charged(list, registrar).map(item => (typeof item === 'bigint' ? item : mismatch())))
    if (sum < minInt || sum > maxInt) throw new RuleError('integer overflow')
    return sum
  })
  add('list<uint>.sum(): uint', (list: List) => {
    const sum = total(charged(list, registrar).map(item => (item instanceof UnsignedInt ? item.value : mismatch())))
    if (sum >= 2n ** 64n) throw new RuleError('unsigned integer overflow')
    return new UnsignedInt(sum)
  })
  add('list<double>.sum(): double', (list: List) =>
    charged(list, registrar).reduce<number>((sum, item) => sum + (typeof item === 'number' ? item : mismatch()), 0),
  )
  add(`list<${duration}>.sum(): ${duration}`, (list: List) => {
    const sum = total(charged(list, registrar).map(item => (item instanceof Duration ? nanosOf(item) : mismatch())))
    return new Duration(sum / 1_000_000_000n, Number(sum % 1_000_000_000n))
  })
}

const total = (numbers: readonly bigint[]) => numbers.reduce((sum, number) => sum + number, 0n)

function mismatch(): never {
  throw new RuleError('no such overload')
}

export function registerSets({ add, replace, namespace, meter }: Registrar): void {
  const sets = namespace('sets')
  const holdsAll = (list: List, parts: List) => itemsOf(parts).every(part => contains(asList(list), part, meter))
  replace(`${sets}.contains(list<T>, list<T>): bool`, (_: unknown, list: List, parts: List) => holdsAll(list, parts))
  add(
    `${sets}.equivalent(list<T>, list<T>): bool`,
    (_: unknown, left: List, right: List) => holdsAll(left, right) && holdsAll(right, left),
  )
  add(`${sets}.intersects(list<T>, list<T>): bool`, (_: unknown, left: List, right: List) =>
    itemsOf(right).some(item => contains(asList(left), item, meter)),
  )
}

const asList = (value: unknown) => (isList(value) ? value : mismatch())
