/**
 * Random histories of applies and updates, compared with a naive oracle: a flat table of paths, each with a value and
 * the managers that own it.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { deepFreeze } from '../../test/json-arbitrary.ts'
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import { isObject, sameJson } from '../patch/json-value.ts'
import { pathsOf } from './field-set.ts'
import { fieldsOfEntry } from './managers.ts'
import { pathText } from './path-element.ts'
import { apply, update, widget } from './widget-fixture.ts'

const value = fc.constantFrom('1', '2')
const number = fc.constantFrom(1, 2)
const names = ['a', 'b', 'c', '__proto__', 'constructor']
const someNames = fc.subarray(names, { minLength: 1 })
const mapOf = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<{ [key: string]: T }> =>
  someNames.chain(keys =>
    fc
      .tuple(...keys.map(() => values))
      .map(all => Object.fromEntries(keys.map((key, index) => [key, all[index] as T]))),
  )
const part = (name: string): fc.Arbitrary<JsonObject> =>
  fc
    .record({ qty: number, sub: fc.record({ x: value, y: value }, { requiredKeys: ['x'] }) }, { requiredKeys: [] })
    .map(members => ({ name, ...members }))
const parts = fc
  .tuple(someNames, fc.boolean())
  .chain(([keys, turned]) => fc.tuple(...(turned ? keys.toReversed() : keys).map(part)))

const spec: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      size: number,
      color: value,
      tags: someNames.map(tags => [...tags]),
      plain: fc.array(value, { minLength: 1, maxLength: 2 }),
      atom: fc.record({ a: value, b: value }),
      parts: parts.map(list => [...list]),
      opts: mapOf(value),
      groups: mapOf(fc.record({ x: value, y: value }, { requiredKeys: ['x'] })),
      blob: mapOf(fc.oneof(value, number)),
    },
    { requiredKeys: [] },
  )
  .map(members => JSON.parse(JSON.stringify(members)))

interface Write {
  readonly verb: 'apply' | 'update'
  readonly manager: string
  readonly force: boolean
  readonly spec: JsonObject
}

const write: fc.Arbitrary<Write> = fc.record({
  verb: fc.constantFrom('apply', 'apply', 'apply', 'update'),
  manager: fc.constantFrom('m1', 'm2', 'm3'),
  force: fc.boolean(),
  spec,
})
const applies = fc.array(
  write.map(one => ({ ...one, verb: 'apply' as const })),
  { minLength: 1, maxLength: 8 },
)
const writes = fc.array(write, { minLength: 1, maxLength: 8 })

/** Paths and values of a spec; items and map entries of objects are paths too, declared containers are not. */
function flatten(body: JsonObject): Map<string, Json> {
  const flat = new Map<string, Json>()
  const { tags = [], parts: items = [], opts = {}, groups = {}, blob = {}, ...scalars } = body
  for (const [name, member] of Object.entries(scalars)) if (member !== undefined) flat.set(`.spec.${name}`, member)
  for (const tag of list(tags)) flat.set(`.spec.tags[=${JSON.stringify(tag)}]`, tag)
  for (const [key, member] of members(opts)) flat.set(`.spec.opts.${key}`, member)
  for (const [key, member] of members(blob)) flat.set(`.spec.blob.${key}`, member)
  for (const [key, group] of members(groups)) nest(flat, `.spec.groups.${key}`, group)
  for (const item of list(items)) {
    assert.ok(isObject(item))
    const { sub = {}, ...direct } = item
    const path = `.spec.parts[name=${JSON.stringify(item['name'])}]`
    nest(flat, path, direct)
    for (const [key, member] of members(sub)) flat.set(`${path}.sub.${key}`, member)
  }
  return flat
}

const list = (json: Json): Json[] => (Array.isArray(json) ? json : [])
const members = (json: Json): [string, Json][] => Object.entries(isObject(json) ? json : {}) as [string, Json][]

function nest(flat: Map<string, Json>, path: string, object: Json): void {
  flat.set(path, 'is there')
  for (const [key, member] of members(object)) flat.set(`${path}.${key}`, member)
}

interface Cell {
  readonly value: Json
  readonly owners: ReadonlySet<string>
}
type Table = ReadonlyMap<string, Cell>

/** The table after an apply; the contested paths instead, when there are any and force is not used. */
function naiveApply(table: Table, { manager, force, spec: body }: Write): Table | readonly string[] {
  const claimed = flatten(body)
  const contested: string[] = []
  const next = new Map(table)
  for (const [path, wanted] of claimed) {
    const cell = table.get(path)
    const isSame = cell !== undefined && sameJson(cell.value, wanted)
    const others = [...(cell?.owners ?? [])].filter(owner => owner !== manager)
    if (!isSame && others.length > 0) contested.push(path)
    next.set(path, { value: wanted, owners: new Set([...(isSame ? others : []), manager]) })
  }
  if (contested.length > 0 && !force) return contested
  const abandoned = [...table].filter(([path, { owners }]) => owners.has(manager) && !claimed.has(path))
  for (const [path] of abandoned) abandon(next, path, manager)
  return next
}

function abandon(table: Map<string, Cell>, path: string, manager: string): void {
  const cell = table.get(path)
  if (!cell) return
  const owners = new Set([...cell.owners].filter(owner => owner !== manager))
  if (owners.size > 0) table.set(path, { ...cell, owners })
  else for (const known of [...table.keys()]) if (known === path || known.startsWith(`${path}.`)) table.delete(known)
}

function tableOf(object: KubeObject): Table {
  const owners = new Map<string, Set<string>>()
  for (const entry of object.metadata.managedFields ?? [])
    for (const path of pathsOf(fieldsOfEntry(entry))) {
      const text = pathText(path)
      owners.set(text, (owners.get(text) ?? new Set()).add(entry.manager))
    }
  const flat = flatten(isObject(object['spec']) ? object['spec'] : {})
  return new Map([...flat].map(([path, json]) => [path, { value: json, owners: owners.get(path) ?? new Set() }]))
}

const sorted = <T>(entries: Iterable<readonly [string, T]>) =>
  [...entries].sort(([left], [right]) => (left < right ? -1 : Number(left > right)))
const plain = (table: Table) =>
  sorted([...table].map(([path, cell]) => [path, [cell.value, [...cell.owners].sort()]] as const))

/** The object after the write, or the fields it was refused for. */
function play(live: KubeObject | undefined, one: Write): KubeObject | readonly string[] {
  if (one.verb === 'update') return update(live, one.manager, deepFreeze({ ...(live ?? widget()), spec: one.spec }))
  try {
    return apply(live, one.manager, deepFreeze(widget({ spec: one.spec })), { force: one.force })
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 409) throw error
    return (error.details?.causes ?? []).map(cause => cause.field)
  }
}

const isRefusal = (result: unknown): result is readonly string[] => Array.isArray(result)

/** Every state of a history, with the write that made it. */
function* states(history: readonly Write[]): Generator<readonly [KubeObject, Write]> {
  let live: KubeObject | undefined
  for (const one of history) {
    const result = play(live, one)
    if (isRefusal(result)) continue
    live = deepFreeze({ ...result, metadata: { ...result.metadata, uid: 'u' } })
    yield [live, one]
  }
}

describe('a history of applies', () => {
  it('agrees with a naive oracle on values, owners, removals and conflicts', () => {
    fc.assert(
      fc.property(applies, history => {
        let live: KubeObject | undefined
        let table: Table = new Map()
        for (const one of history) {
          const result = play(live, one)
          const expected = naiveApply(table, one)
          if (isRefusal(result)) {
            assert.deepEqual([...new Set(result)].sort(), isRefusal(expected) ? [...expected].sort() : 'accepted')
            continue
          }
          assert.ok(!isRefusal(expected), `refused for ${String(expected)}`)
          assert.deepEqual(plain(tableOf(result)), plain(expected))
          table = expected
          live = { ...result, metadata: { ...result.metadata, uid: 'u' } }
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a history of applies and updates', () => {
  it('leaves every field owned by somebody, and owners with fields that exist', () => {
    fc.assert(
      fc.property(writes, history => {
        for (const [live] of states(history)) {
          const table = tableOf(live)
          const orphans = [...table].filter(([, cell]) => cell.owners.size === 0).map(([path]) => path)
          if (live.metadata.managedFields?.length) assert.deepEqual(orphans, [])
          const leaves = (live.metadata.managedFields ?? []).flatMap(entry =>
            [...pathsOf(fieldsOfEntry(entry))].map(pathText),
          )
          const dangling = leaves.filter(
            path => !table.has(path) && ![...table.keys()].some(known => known.startsWith(path)),
          )
          assert.deepEqual(
            dangling.filter(path => path !== '.spec'),
            [],
          )
        }
      }),
    )
  })

  it('changes nothing when its last write is repeated', () => {
    fc.assert(
      fc.property(writes, history => {
        for (const [live, last] of states(history)) {
          const again = play(live, last)
          assert.ok(!isRefusal(again))
          assert.equal(again.metadata, live.metadata)
          if (last.verb === 'apply') assert.equal(again, live)
        }
      }),
    )
  })

  it('never pollutes what other objects inherit', () => {
    fc.assert(
      fc.property(writes, history => {
        for (const [live] of states(history)) {
          assert.equal(Object.getPrototypeOf(live['spec'] ?? {}), Object.prototype)
          assert.deepEqual(Object.keys(Object.prototype), [])
        }
      }),
    )
  })
})
