import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deepFreeze } from '../../test/json-arbitrary.ts'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../api/object.ts'
import { isObject } from '../patch/json-value.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { API_VERSION, apply, fieldsOf, update, widget } from './widget-fixture.ts'

const created = (spec: JsonObject = { size: 1, parts: [{ name: 'a', qty: 1 }], opts: { k: '1' } }): KubeObject =>
  update(undefined, 'creator', widget({ spec }, { uid: 'u', labels: { l: 'v' } }))

function patched(object: KubeObject, manager: string, patch: JsonObject, now = 0, subresource?: string): KubeObject {
  const next = mergePatch(object, patch)
  assert.ok(isObject(next))
  return update(object, manager, next, { now, ...(subresource && { subresource }) })
}

/** Before, after, and what the manager that did it owns then. */
const changes: readonly (readonly [string, JsonObject, JsonObject, JsonObject | undefined])[] = [
  ['a changed scalar', { size: 1 }, { size: 2 }, { 'f:size': {} }],
  ['an added scalar', { size: 1 }, { size: 1, color: 'x' }, { 'f:color': {} }],
  ['nothing it removed', { size: 1, color: 'x' }, { size: 1 }, undefined],
  [
    'a new container with all in it',
    {},
    { deep: { one: { a: '1' } } },
    {
      'f:deep': { '.': {}, 'f:one': { '.': {}, 'f:a': {} } },
    },
  ],
  ['a member of an old container alone', { deep: { two: '1' } }, { deep: { two: '2' } }, { 'f:deep': { 'f:two': {} } }],
  ['an empty container as a leaf', {}, { opts: {} }, { 'f:opts': {} }],
  ['an atomic list as a whole', { plain: ['a', 'b'] }, { plain: ['a', 'c'] }, { 'f:plain': {} }],
  ['an atomic map as a whole', { atom: { a: '1', b: '1' } }, { atom: { a: '1', b: '2' } }, { 'f:atom': {} }],
  [
    'an added item',
    { parts: [{ name: 'a' }] },
    { parts: [{ name: 'b', qty: 1 }, { name: 'a' }] },
    {
      'f:parts': { 'k:{"name":"b"}': { '.': {}, 'f:name': {}, 'f:qty': {} } },
    },
  ],
  [
    'a member of an item',
    { parts: [{ name: 'a', qty: 1 }] },
    { parts: [{ name: 'a', qty: 2 }] },
    {
      'f:parts': { 'k:{"name":"a"}': { 'f:qty': {} } },
    },
  ],
  [
    'items that moved and changed',
    { parts: [{ name: 'a' }, { name: 'b', qty: 1 }] },
    { parts: [{ name: 'b', qty: 2 }, { name: 'a' }] },
    {
      'f:parts': { 'k:{"name":"b"}': { 'f:qty': {} } },
    },
  ],
  ['nothing when items only moved', { tags: ['a', 'b'] }, { tags: ['b', 'a'] }, undefined],
  ['an added value of a set', { tags: ['a'] }, { tags: ['a', 'b'] }, { 'f:tags': { 'v:"b"': {} } }],
  ['a value that became another type', { blob: { q: { r: 1 } } }, { blob: { q: 'x' } }, { 'f:blob': { 'f:q': {} } }],
  [
    'an object where a scalar was',
    { blob: { q: 'x' } },
    { blob: { q: { r: 1 } } },
    { 'f:blob': { 'f:q': { '.': {}, 'f:r': {} } } },
  ],
  ['a null that was a value', { maybe: 'x' }, { maybe: null }, { 'f:maybe': {} }],
  ['a list as a whole whose items have no keys', { parts: [{ qty: 1 }] }, { parts: [{ qty: 2 }] }, { 'f:parts': {} }],
  ['an item that is there twice', { tags: ['a', 'a'] }, { tags: ['a'] }, { 'f:tags': { 'v:"a"': {} } }],
]

describe('an update', () => {
  for (const [what, before, after, owned] of changes)
    it(`owns ${what}`, () => {
      const live = created({ ...before, target: 1 })
      const next = update(live, 'u', deepFreeze({ ...live, spec: { ...after, target: 1 } }))
      assert.deepEqual(fieldsOf(next, 'u'), owned && { 'f:spec': owned })
    })

  it('that creates owns everything but what the server writes', () => {
    const object = update(
      undefined,
      'creator',
      widget(
        { spec: { size: 1 } },
        { uid: 'u', namespace: 'n', resourceVersion: '', generation: 1, creationTimestamp: 'x', labels: { l: 'v' } },
      ),
      { now: 1500 },
    )
    assert.deepEqual(object.metadata.managedFields, [
      {
        manager: 'creator',
        operation: 'Update',
        apiVersion: API_VERSION,
        time: '1970-01-01T00:00:01Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } }, 'f:spec': { '.': {}, 'f:size': {} } },
      },
    ])
  })

  it('that changes nothing keeps the stored list itself, shared or copied, and even when sent back as read', () => {
    const live = created()
    assert.equal(update(live, 'other', live, { now: 9000 }), live)
    assert.equal(patched(live, 'other', { spec: { size: 1 } }, 9000), live)
    const { managedFields: _, ...metadata } = structuredClone(live.metadata)
    const put = update(live, 'other', { ...structuredClone(live), metadata })
    assert.equal(put.metadata.managedFields?.length, 1)
    assert.equal(put.metadata.managedFields?.[0], live.metadata.managedFields?.[0])
    const readBack = update(live, 'other', structuredClone(live), { now: 9000 })
    assert.equal(readBack.metadata.managedFields?.[0], live.metadata.managedFields?.[0])
  })

  it('of the same value by the same manager in the same second keeps the entry', () => {
    const live = created()
    const once = patched(live, 'ctl', { status: { phase: 'A' } }, 0, 'status')
    const twice = patched(once, 'ctl', { status: { phase: 'B' } }, 500, 'status')
    assert.equal(twice.metadata.managedFields, once.metadata.managedFields)
    const later = patched(twice, 'ctl', { status: { phase: 'C' } }, 5000, 'status')
    assert.equal(fieldsOf(later, 'ctl', 'status'), fieldsOf(once, 'ctl', 'status'))
    assert.equal(later.metadata.managedFields?.at(-1)?.time, '1970-01-01T00:00:05Z')
  })

  it('takes what it changed from all others, who vanish when nothing is left to them', () => {
    const live = apply(created({ size: 1 }), 'm1', widget({ spec: { color: 'red' } }))
    const next = patched(live, 'u', { spec: { color: 'blue' } })
    assert.equal(fieldsOf(next, 'm1'), undefined)
    assert.deepEqual(fieldsOf(next, 'u'), { 'f:spec': { 'f:color': {} } })
    assert.equal(fieldsOf(next, 'creator'), fieldsOf(live, 'creator'))
  })

  it('takes from everybody what it removed', () => {
    const live = apply(created(), 'm1', widget({ spec: { parts: [{ name: 'a', qty: 1 }] } }))
    const next = patched(live, 'u', { spec: { parts: null, size: null } })
    assert.deepEqual(fieldsOf(next, 'creator')?.['f:spec'], { '.': {}, 'f:opts': { '.': {}, 'f:k': {} } })
    assert.equal(fieldsOf(next, 'm1'), undefined)
    assert.equal(fieldsOf(next, 'u'), undefined)
  })

  it('that only loses fields keeps its time', () => {
    const live = created()
    const next = patched(live, 'creator', { spec: { size: null } }, 9000)
    assert.equal(next.metadata.managedFields?.[0]?.time, '1970-01-01T00:00:00Z')
  })

  it('has an entry for each version and endpoint', () => {
    const live = patched(
      patched(created(), 'ctl', { spec: { size: 2 } }),
      'ctl',
      { status: { phase: 'A' } },
      0,
      'status',
    )
    assert.deepEqual(
      live.metadata.managedFields?.map(entry => [entry.manager, entry.subresource]),
      [
        ['creator', undefined],
        ['ctl', undefined],
        ['ctl', 'status'],
      ].sort(),
    )
  })

  it('puts applies first, then the oldest', () => {
    let live = created()
    live = patched(live, 'b', { spec: { size: 2 } }, 2000)
    live = patched(live, 'a', { spec: { color: 'x' } }, 1000)
    live = apply(live, 'z', widget({ spec: { maybe: 'y' } }), { now: 3000 })
    assert.deepEqual(
      live.metadata.managedFields?.map(entry => entry.manager),
      ['z', 'creator', 'a', 'b'],
    )
  })

  it('folds the oldest of more than ten update managers into one', () => {
    let live = created({})
    for (let index = 0; index < 20; index++)
      live = patched(live, `m${index}`, { metadata: { labels: { [`l${index}`]: 'v' } } }, index * 1000)
    const entries = live.metadata.managedFields ?? []
    assert.equal(entries.length, 10)
    assert.deepEqual(
      entries.map(entry => entry.manager),
      ['ancient-changes', ...Array.from({ length: 9 }, (_, index) => `m${index + 11}`)],
    )
    const folded = fieldsOf(live, 'ancient-changes')?.['f:metadata']
    assert.ok(isObject(folded) && isObject(folded['f:labels']))
    assert.deepEqual(
      Object.keys(folded['f:labels']).length,
      1 + 1 + 11,
      'the container, the first label and those of m0 to m10',
    )
  })
})

describe('managedFields in the body of an update', () => {
  const live = created()
  const withEntries = (managedFields: unknown, spec: JsonObject = { size: 1 }) =>
    update(live, 'u', {
      ...live,
      spec,
      metadata: { ...live.metadata, managedFields: managedFields as ManagedFieldsEntry[] },
    })
  const entry = { manager: 'x', operation: 'Apply', apiVersion: API_VERSION, fieldsType: 'FieldsV1' }

  it('of one empty entry forgets all owners, until the next apply', () => {
    const reset = withEntries([{}])
    assert.equal(reset.metadata.managedFields, undefined)
    const changed = patched(reset, 'u', { spec: { size: 5 } })
    assert.equal(changed.metadata.managedFields, undefined)
    const applied = apply(changed, 'm1', widget({ spec: { color: 'x' } }))
    assert.deepEqual(
      applied.metadata.managedFields?.map(one => one.manager),
      ['m1', 'before-first-apply'],
    )
  })

  it('that are usable become the owners, before the change itself counts', () => {
    const sent = { ...entry, fieldsV1: { 'f:spec': { 'f:size': {} } } }
    const next = withEntries([sent], { ...(live['spec'] as JsonObject), color: 'x' })
    assert.deepEqual(
      next.metadata.managedFields?.map(one => one.manager),
      ['x', 'u'],
    )
  })

  const ignored: readonly (readonly [string, unknown])[] = [
    ['an empty list', []],
    ['no list', 'x'],
    ['an entry that is none', [7]],
    ['an entry without manager', [{ ...entry, manager: undefined, fieldsV1: {} }]],
    ['an unknown operation', [{ ...entry, operation: 'Steal', fieldsV1: {} }]],
    ['another format', [{ ...entry, fieldsType: 'FieldsV2', fieldsV1: {} }]],
    ['a set that is none', [{ ...entry, fieldsV1: { spec: {} } }]],
    ['a key that is no JSON', [{ ...entry, fieldsV1: { 'k:{': {} } }]],
  ]
  for (const [what, sent] of ignored)
    it(`are ignored when they are ${what}`, () => {
      const next = withEntries(sent, live['spec'] as JsonObject)
      assert.equal(next.metadata.managedFields?.[0], live.metadata.managedFields?.[0])
      assert.equal(next.metadata.managedFields?.length, 1)
    })

  it('are ignored on a subresource', () => {
    const next = update(
      live,
      'u',
      { ...live, metadata: { ...live.metadata, managedFields: [{} as ManagedFieldsEntry] } },
      { subresource: 'status' },
    )
    assert.equal(next.metadata.managedFields?.[0], live.metadata.managedFields?.[0])
  })
})
