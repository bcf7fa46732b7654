import { comparePlaces, isWithin, type Place, placeAfter, placeId, type Stretch } from './place.ts'
import type { SortedCollection } from './sorted-collection.ts'
import type { Stored, StoreEvent } from './types.ts'

export interface PageRequest {
  readonly items: SortedCollection
  /** Events since the snapshot, oldest first: they are undone to see the snapshot again. Empty for the newest state. */
  readonly newer: Iterable<StoreEvent>
  readonly stretch: Stretch
  /** Infinity for all. */
  readonly limit: number
  readonly matches: ((stored: Stored) => boolean) | undefined
}

export interface PageContent {
  readonly items: readonly Stored[]
  /** Key of the last state looked at; absent when nothing is left after it. */
  readonly last?: Place
  readonly remaining: number
}

/** What a place held at the snapshot, where that differs from now. */
interface Undone {
  readonly key: Place
  readonly before: Stored | undefined
}

/** Cuts one page out of the collection as it was before `newer`. */
export function cutPage(request: PageRequest): PageContent {
  const { items, stretch, limit, matches } = request
  const undone = undo(request.newer, stretch)
  const page: Stored[] = []
  for (const stored of snapshot(items, undone, stretch)) {
    if (matches && !matches(stored)) continue
    page.push(stored)
    if (page.length < limit) continue
    const remaining = countSnapshot(items, undone, { start: placeAfter(stored.key), end: stretch.end })
    return remaining > 0 ? { items: page, last: stored.key, remaining } : { items: page, remaining }
  }
  return { items: page, remaining: 0 }
}

/** For each place touched by `newer`, in order, what the oldest of its events replaced. */
function undo(newer: Iterable<StoreEvent>, stretch: Stretch): readonly Undone[] {
  const touched = new Map<string, Undone>()
  for (const { stored, previous } of newer) {
    if (!isWithin(stored.key, stretch)) continue
    const id = placeId(stored.key)
    if (!touched.has(id)) touched.set(id, { key: stored.key, before: previous })
  }
  return [...touched.values()].sort((a, b) => comparePlaces(a.key, b.key))
}

/** Merges the current states with what must be undone; on the same place the undone one wins. */
function* snapshot(items: SortedCollection, undone: readonly Undone[], stretch: Stretch): Generator<Stored> {
  let next = 0
  for (const current of items.range(stretch)) {
    let order = 1
    for (let entry = undone[next]; entry; entry = undone[next]) {
      order = comparePlaces(entry.key, current.key)
      if (order > 0) break
      next++
      if (entry.before) yield entry.before
      if (order === 0) break
    }
    if (order !== 0) yield current
  }
  for (const entry of undone.slice(next)) if (entry.before) yield entry.before
}

function countSnapshot(items: SortedCollection, undone: readonly Undone[], stretch: Stretch): number {
  let count = items.count(stretch)
  for (const { key, before } of undone) {
    if (isWithin(key, stretch)) count += Number(before !== undefined) - Number(items.get(key) !== undefined)
  }
  return count
}
