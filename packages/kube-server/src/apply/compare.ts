/**
 * What changed between two states, as field paths. Sub-trees that both states share are skipped at once, so the cost
 * follows the size of the change, not of the object.
 */
import type { Json } from '../api/object.ts'
import { own, sameJson } from '../patch/json-value.ts'
import { type FieldSet, none, union, withMember } from './field-set.ts'
import { everyField } from './fields-of.ts'
import { type Grain, grainOf, type ItemGroup, indexItems, itemShape } from './granularity.ts'
import { fieldElement, itemElement } from './path-element.ts'
import { free, memberShape, type Shape } from './shape.ts'

type Node = { [element: string]: FieldSet }
type MapGrain = Grain & { type: 'map' }
type ListGrain = Grain & { type: 'list' }

/** Paths of one step from a state to the next. An absent set is empty. */
export interface Change {
  /** Added, or of another value now. */
  readonly taken: FieldSet | undefined
  /** No longer there. */
  readonly lost: FieldSet | undefined
}

const TAKEN: Change = Object.freeze({ taken: none, lost: undefined })

/** Undefined when no tracked field differs; the order of set and keyed list items does not count. */
export function compare(before: Json | undefined, after: Json | undefined, shape: Shape): Change | undefined {
  if (before === after || shape.type === 'untracked') return undefined
  if (before === undefined) return after === undefined ? undefined : change(everyField(after, shape), undefined)
  if (after === undefined) return change(undefined, everyField(before, shape))
  const left = grainOf(before, shape)
  const right = grainOf(after, shape)
  if (left.type === 'map' && right.type === 'map') return compareMaps(left, right)
  if (left.type === 'list' && right.type === 'list') return compareLists(left, right)
  if (left.type === right.type) return sameJson(before, after) ? undefined : TAKEN
  return compareForms(left, right, shape)
}

function change(taken: FieldSet | undefined, lost: FieldSet | undefined): Change | undefined {
  return taken || lost ? { taken, lost } : undefined
}

/** The value became something of another type: what was below is lost, what is below now is taken. */
function compareForms(left: Grain, right: Grain, shape: Shape): Change | undefined {
  const lost = left.type === 'map' || left.type === 'list' ? below(left.value, shape) : undefined
  const taken = right.type === 'map' || right.type === 'list' ? below(right.value, shape) : undefined
  const isLeafChange = left.type === 'leaf' || right.type === 'leaf' || (!lost && !taken)
  return change(isLeafChange ? withMember(taken ?? none) : taken, lost)
}

function below(value: Json, shape: Shape): FieldSet | undefined {
  const { '.': _, ...children } = everyField(value, shape) ?? none
  return Object.keys(children).length > 0 ? children : undefined
}

class Collected {
  taken: Node | undefined
  lost: Node | undefined

  add(element: string, found: Change | undefined): void {
    if (found?.taken) {
      this.taken ??= {}
      this.taken[element] = found.taken
    }
    if (found?.lost) {
      this.lost ??= {}
      this.lost[element] = found.lost
    }
  }
}

function compareMaps(left: MapGrain, right: MapGrain): Change | undefined {
  const found = new Collected()
  let shared = 0
  for (const key of Object.keys(right.value)) {
    const old = own(left.value, key)
    const now = right.value[key]
    if (old !== undefined) shared++
    if (old === now) continue
    found.add(fieldElement(key), compare(old, now, memberShape(right.shape, key) ?? free))
  }
  const oldKeys = Object.keys(left.value)
  if (oldKeys.length > shared)
    for (const key of oldKeys)
      if (own(right.value, key) === undefined)
        found.add(fieldElement(key), compare(left.value[key], undefined, memberShape(left.shape, key) ?? free))
  return change(found.taken, found.lost)
}

function compareLists(left: ListGrain, right: ListGrain): Change | undefined {
  const inPlace = compareInPlace(left, right)
  return inPlace ? change(inPlace.taken, inPlace.lost) : compareByElement(left, right)
}

/** The common case: same length, every item where it was. Undefined when that is not so. */
function compareInPlace(left: ListGrain, right: ListGrain): Collected | undefined {
  if (left.value.length !== right.value.length) return undefined
  const found = new Collected()
  for (const [position, now] of right.value.entries()) {
    const old = left.value[position]
    if (old === undefined || sameJson(old, now)) continue
    const element = itemElement(right.shape, now)
    if (element === undefined || element !== itemElement(left.shape, old)) return undefined
    found.add(element, compare(old, now, itemShape(right.shape)))
  }
  return found
}

function compareByElement(left: ListGrain, right: ListGrain): Change | undefined {
  const old = indexItems(left.shape, left.value)
  const now = indexItems(right.shape, right.value)
  if (!old || !now) return sameJson(left.value, right.value) ? undefined : TAKEN
  const found = new Collected()
  for (const [element, items] of now) found.add(element, compareGroups(old.get(element), items, right))
  for (const [element, items] of old) if (!now.has(element)) found.add(element, compareGroups(items, undefined, left))
  return change(found.taken, found.lost)
}

function compareGroups(
  old: ItemGroup | undefined,
  now: ItemGroup | undefined,
  { shape }: ListGrain,
): Change | undefined {
  if ((old?.length ?? 1) === 1 && (now?.length ?? 1) === 1) return compare(old?.[0], now?.[0], itemShape(shape))
  if (old && now) return sameJson([...old], [...now]) ? undefined : TAKEN
  return old ? { taken: undefined, lost: none } : TAKEN
}

/** Everything a change touches. */
export function touched({ taken, lost }: Change): FieldSet {
  return union(taken ?? none, lost ?? none)
}
