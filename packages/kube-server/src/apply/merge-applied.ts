import type { Json, JsonObject } from '../api/object.ts'
import { own, put, sameJson } from '../patch/json-value.ts'
import { type Grain, grainOf, indexItems, itemShape } from './granularity.ts'
import { itemElement } from './path-element.ts'
import { free, memberShape, type Shape } from './shape.ts'

type MapGrain = Grain & { type: 'map' }
type ListGrain = Grain & { type: 'list' }

/**
 * The live value with the apply body laid over it: leaves of the body win, maps and lists are merged as their shape
 * says. Shares what does not change, and returns `live` itself when nothing does.
 */
export function mergeApplied(live: Json | undefined, body: Json, shape: Shape): Json {
  if (live === undefined) return body
  if (shape.type === 'untracked') return live
  const left = grainOf(live, shape)
  const right = grainOf(body, shape)
  if (left.type === 'map' && right.type === 'map') return mergeMaps(left, right)
  if (left.type === 'list' && right.type === 'list') return mergeLists(left, right)
  // A null where a map or list is expected says nothing about its members.
  if (right.type === 'null' && isFilled(left)) return live
  return sameJson(live, body) ? live : body
}

function isFilled(grain: Grain): boolean {
  if (grain.type === 'map') return Object.keys(grain.value).length > 0
  return grain.type === 'list' && grain.value.length > 0
}

function mergeMaps(live: MapGrain, body: MapGrain): Json {
  let merged: JsonObject | undefined
  for (const key of Object.keys(body.value)) {
    const wanted = body.value[key]
    if (wanted === undefined) continue
    const current = own(live.value, key)
    const value = mergeApplied(current, wanted, memberShape(body.shape, key) ?? free)
    if (value === current) continue
    merged ??= { ...live.value }
    put(merged, key, value)
  }
  return merged ?? live.value
}

/**
 * Items in both lists take the order of the body; items only in the live list keep their place among the live ones,
 * items only in the body theirs among the body's.
 */
function mergeLists(live: ListGrain, body: ListGrain): Json {
  const liveItems = indexItems(live.shape, live.value)
  const bodyItems = indexItems(body.shape, body.value)
  if (!liveItems || !bodyItems) return sameJson(live.value, body.value) ? live.value : body.value
  const liveOrder = live.value.map(item => itemElement(live.shape, item) ?? '')
  const bodyOrder = [...bodyItems.keys()]
  const merged: Json[] = []
  for (const step of interleave(liveOrder, bodyOrder)) {
    const kept = step.kept === undefined ? undefined : live.value[step.kept]
    if (kept !== undefined) merged.push(kept)
    const items = step.applied === undefined ? undefined : bodyItems.get(step.applied)
    if (items && step.applied !== undefined)
      merged.push(mergeApplied(liveItems.get(step.applied)?.[0], items[0], itemShape(body.shape)))
  }
  const isSame = merged.length === live.value.length && merged.every((item, position) => item === live.value[position])
  return isSame ? live.value : merged
}

/** `kept`: position of an item that only the live list has. `applied`: element of an item of the body. */
interface Step {
  readonly kept?: number
  readonly applied?: string
}

function interleave(live: readonly string[], body: readonly string[]): readonly Step[] {
  const isSameOrder = live.length === body.length && body.every((element, position) => element === live[position])
  return isSameOrder ? body.map(applied => ({ applied })) : [...woven(live, body)]
}

function* woven(live: readonly string[], body: readonly string[]): Generator<Step> {
  const inLive = new Set(live)
  const inBody = new Set(body)
  const shared = body.filter(element => inLive.has(element))
  const done = new Set<string>()
  let turn = 0
  let left = 0
  let right = 0
  while (left < live.length || right < body.length) {
    const mine = live[left]
    const theirs = body[right]
    if (mine !== undefined && !inBody.has(mine)) {
      yield { kept: left++ }
      continue
    }
    const isOutOfTurn = mine !== theirs && turn < shared.length && mine !== shared[turn]
    if (mine !== undefined && (isOutOfTurn || theirs === undefined)) {
      left++
      continue
    }
    if (mine !== undefined && (mine === theirs || done.has(mine))) left++
    if (theirs === undefined) continue
    yield { applied: theirs }
    done.add(theirs)
    if (theirs === shared[turn]) turn++
    right++
  }
}
