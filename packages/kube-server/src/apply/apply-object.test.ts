import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deepFreeze } from '../../test/json-arbitrary.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import { API_VERSION, apply, fieldsOf, update, widget } from './widget-fixture.ts'

const spec = (members: JsonObject) => widget({ spec: members })

function conflict(run: () => unknown): StatusError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return error
  }
  return assert.fail('there was no conflict')
}

/** What a manager claims by a spec: the members of `f:spec`. */
const claims: readonly (readonly [string, JsonObject, JsonObject])[] = [
  ['a scalar', { size: 1 }, { 'f:size': {} }],
  ['an atomic list as a whole', { plain: ['a', 'b'] }, { 'f:plain': {} }],
  ['an empty atomic list', { plain: [] }, { 'f:plain': {} }],
  ['an atomic map as a whole', { atom: { a: '1' } }, { 'f:atom': {} }],
  ['each value of a set', { tags: ['a', 'b'] }, { 'f:tags': { 'v:"a"': {}, 'v:"b"': {} } }],
  [
    'each item of a keyed list and its members',
    { parts: [{ name: 'a', qty: 1 }] },
    { 'f:parts': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:qty': {} } } },
  ],
  [
    'items by all their keys, missing ones by default',
    { ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }] },
    {
      'f:ports': {
        'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
        'k:{"port":80,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
      },
    },
  ],
  ['the keys of a map', { opts: { k: '1', l: '2' } }, { 'f:opts': { 'f:k': {}, 'f:l': {} } }],
  [
    'the keys of a map of objects with themselves',
    { groups: { g: { x: '1' } } },
    { 'f:groups': { 'f:g': { '.': {}, 'f:x': {} } } },
  ],
  ['declared objects only by what is in them', { deep: { one: { a: '1' } } }, { 'f:deep': { 'f:one': { 'f:a': {} } } }],
  ['an empty object itself', { deep: { one: {} }, opts: {} }, { 'f:deep': { 'f:one': {} }, 'f:opts': {} }],
  ['a null itself', { maybe: null }, { 'f:maybe': {} }],
  [
    'what lies in preserved unknown fields, lists as a whole',
    { blob: { q: { r: [1, { s: 2 }] } } },
    { 'f:blob': { 'f:q': { '.': {}, 'f:r': {} } } },
  ],
  ['an int-or-string', { target: '50%' }, { 'f:target': {} }],
  ['a name that means something to JavaScript', { opts: { constructor: 'x' } }, { 'f:opts': { 'f:constructor': {} } }],
]

describe('an apply', () => {
  for (const [what, members, claimed] of claims)
    it(`claims ${what}`, () => {
      const object = apply(undefined, 'm1', spec(members))
      assert.deepEqual(fieldsOf(object, 'm1'), { 'f:spec': claimed })
      assert.deepEqual(object['spec'], members)
    })

  it('creates the object with one entry and claims nothing of what the server writes', () => {
    const body = widget(
      { spec: { size: 1 } },
      { labels: { l: 'v' }, namespace: 'n', uid: 'u', creationTimestamp: null },
    )
    assert.deepEqual(apply(undefined, 'm1', body, { now: Date.UTC(2026, 0, 2) }), {
      ...body,
      metadata: {
        ...body.metadata,
        managedFields: [
          {
            manager: 'm1',
            operation: 'Apply',
            apiVersion: API_VERSION,
            time: '2026-01-02T00:00:00Z',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:metadata': { 'f:labels': { 'f:l': {} } }, 'f:spec': { 'f:size': {} } },
          },
        ],
      },
    })
  })

  it('of nothing creates an object that nobody owns', () => {
    assert.deepEqual(apply(undefined, 'm1', widget()), widget())
  })

  it('repeated returns the live object itself, however late', () => {
    const body = widget({ spec: { size: 1, parts: [{ name: 'a' }], opts: {} } }, { finalizers: ['x/y'] })
    const live = apply(undefined, 'm1', body)
    assert.equal(apply(live, 'm1', structuredClone(body), { now: 9_000_000 }), live)
  })

  it('shares equal values, and tells no time for what changed nothing', () => {
    const live = apply(undefined, 'm1', spec({ size: 1 }))
    const both = apply(live, 'm2', spec({ size: 1 }), { now: 5000 })
    assert.deepEqual(fieldsOf(both, 'm1'), { 'f:spec': { 'f:size': {} } })
    assert.deepEqual(fieldsOf(both, 'm2'), { 'f:spec': { 'f:size': {} } })
    assert.equal(both['spec'], live['spec'])
    assert.equal(both.metadata.managedFields?.find(entry => entry.manager === 'm2')?.time, undefined)
    const changed = conflict(() => apply(both, 'm2', spec({ size: 2 })))
    assert.equal(changed.message, 'Apply failed with 1 conflict: conflict with "m1": .spec.size')
  })

  it('removes what it claimed before, leaves out now and nobody else claims', () => {
    const live = apply(
      undefined,
      'm1',
      spec({ size: 1, color: 'red', parts: [{ name: 'a' }, { name: 'b' }], opts: { k: '1' } }),
    )
    const shared = apply(live, 'm2', spec({ color: 'red', parts: [{ name: 'b' }] }))
    const less = apply(shared, 'm1', spec({ size: 1 }))
    assert.deepEqual(less['spec'], { size: 1, color: 'red', parts: [{ name: 'b' }] })
    assert.deepEqual(apply(less, 'm1', widget())['spec'], { color: 'red', parts: [{ name: 'b' }] })
  })

  it('removes containers that it leaves empty', () => {
    const live = apply(undefined, 'm1', widget({ spec: { deep: { one: { a: '1' } } } }, { labels: { l: 'v' } }))
    const bare = apply(live, 'm1', widget())
    assert.deepEqual(bare, widget())
  })

  it('leaves what an Update manager wrote', () => {
    const created = update(undefined, 'creator', spec({ size: 1 }))
    const applied = apply(created, 'm1', spec({ size: 1, color: 'red' }))
    assert.deepEqual(apply(applied, 'm1', widget())['spec'], { size: 1 })
  })

  it('removes an item with all others put into it, once no one claims the item', () => {
    const live = apply(undefined, 'm1', spec({ parts: [{ name: 'a' }, { name: 'b' }] }))
    const touched = update(live, 'u', { ...live, spec: { parts: [{ name: 'a', qty: 3 }, { name: 'b' }] } })
    const gone = apply(touched, 'm1', spec({ parts: [{ name: 'b' }] }))
    assert.deepEqual(gone['spec'], { parts: [{ name: 'b' }] })
    assert.equal(fieldsOf(gone, 'u'), undefined)
  })

  it('orders shared items as the body does and keeps others in place', () => {
    const names = (object: JsonObject) =>
      (object['spec'] as { parts: { name: string }[] }).parts.map(part => part.name).join('')
    const parts = (text: string) => spec({ parts: [...text].map(name => ({ name })) })
    const orders = [
      ['abc', 'cb', 'acb'],
      ['abc', 'xb', 'axbc'],
      ['abcd', 'dxa', 'bcdxa'],
      ['ab', 'ba', 'ba'],
      ['', 'ab', 'ab'],
      ['abc', '', 'abc'],
    ]
    for (const [live = '', body = '', merged] of orders) {
      const object = update(undefined, 'u', parts(live))
      assert.equal(names(apply(object, 'm1', parts(body))), merged, `${live} with ${body}`)
    }
  })

  it('with another order of items changes the object, though no field', () => {
    const live = apply(undefined, 'm1', spec({ tags: ['a', 'b'] }))
    const turned = apply(live, 'm1', spec({ tags: ['b', 'a'] }), { now: 5000 })
    assert.deepEqual(turned['spec'], { tags: ['b', 'a'] })
    assert.equal(turned.metadata.managedFields?.[0]?.time, '1970-01-01T00:00:05Z')
  })

  it('keeps what the server wrote into metadata, whatever the body says', () => {
    const live = { ...apply(undefined, 'm1', spec({ size: 1 })) }
    live.metadata = { ...live.metadata, uid: 'u', resourceVersion: '7', generation: 2 }
    const body = widget({ spec: { size: 2 } }, { uid: 'other', resourceVersion: '9', generation: 5 })
    const { uid, resourceVersion, generation } = apply(live, 'm1', body).metadata
    assert.deepEqual({ uid, resourceVersion, generation }, { uid: 'u', resourceVersion: '7', generation: 2 })
  })

  it('refuses managedFields in the body with 400', () => {
    const error = conflict(() => apply(undefined, 'm1', widget({}, { managedFields: [{ manager: 'x' }] })))
    assert.equal(error.code, 400)
    assert.equal(error.message, 'metadata.managedFields must be nil')
  })

  it('keeps an entry for each endpoint', () => {
    const live = apply(undefined, 'm1', spec({ size: 1 }))
    const body = widget({ spec: { size: 9 }, status: { phase: 'Running' } }, { labels: { l: 'v' } })
    const both = apply(live, 'm1', body, { subresource: 'status' })
    assert.deepEqual(both['spec'], { size: 1 })
    assert.equal(both.metadata.labels, undefined)
    assert.deepEqual(fieldsOf(both, 'm1'), { 'f:spec': { 'f:size': {} } })
    assert.deepEqual(fieldsOf(both, 'm1', 'status'), { 'f:status': { 'f:phase': {} } })
    const again = apply(both, 'm1', spec({ size: 1 }))
    assert.equal(again, both)
  })

  it('merges conditions of two managers through the status endpoint', () => {
    const of = (type: string) => widget({ status: { conditions: [{ type, status: 'True' }] } })
    const live = update(undefined, 'u', widget({ spec: {} }))
    const one = apply(live, 'ctl', of('Ready'), { subresource: 'status' })
    const two = apply(one, 'other', of('Synced'), { subresource: 'status' })
    assert.equal((two['status'] as { conditions: Json[] }).conditions.length, 2)
  })

  it('does not write the members its endpoint ignores', () => {
    const body = widget({ spec: { size: 1 }, status: { phase: 'Running' } })
    const object = apply(undefined, 'm1', body, { ignored: ['status'] })
    assert.equal(object['status'], undefined)
    assert.deepEqual(fieldsOf(object, 'm1'), { 'f:spec': { 'f:size': {} } })
  })

  it('gives one owner to all that was there before anybody was tracked', () => {
    const live = deepFreeze(widget({ spec: { size: 1 } }, { labels: { l: 'v' }, uid: 'u' })) as never
    const error = conflict(() => apply(live, 'm1', spec({ size: 2 })))
    assert.equal(
      error.message,
      `Apply failed with 1 conflict: conflict with "before-first-apply" using ${API_VERSION}: .spec.size`,
    )
    const forced = apply(live, 'm1', spec({ size: 2 }), { force: true })
    assert.deepEqual(fieldsOf(forced, 'before-first-apply'), {
      'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
      'f:spec': {},
    })
  })
})

describe('a conflict', () => {
  const live = apply(undefined, 'm1', spec({ size: 1, color: 'red', parts: [{ name: 'a', qty: 1 }], opts: { k: '1' } }))

  it('names the field and its owner in one cause, and nothing else in the details', () => {
    const error = conflict(() => apply(live, 'm2', spec({ size: 2 })))
    assert.deepEqual(error.toStatus(), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Apply failed with 1 conflict: conflict with "m1": .spec.size',
      reason: 'Conflict',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.spec.size' }] },
      code: 409,
    })
  })

  it('lists several fields by owner', () => {
    const two = apply(live, 'm0', spec({ size: 1 }))
    const error = conflict(() => apply(two, 'm2', spec({ size: 2, color: 'blue', parts: [{ name: 'a', qty: 9 }] })))
    assert.equal(
      error.message,
      'Apply failed with 4 conflicts: conflicts with "m0":\n- .spec.size\n' +
        'conflicts with "m1":\n- .spec.color\n- .spec.size\n- .spec.parts[name="a"].qty',
    )
    assert.deepEqual(
      error.details?.causes?.map(cause => cause.field),
      ['.spec.size', '.spec.color', '.spec.size', '.spec.parts[name="a"].qty'],
    )
  })

  it('tells version and endpoint of an Update manager', () => {
    const updated = update(update(undefined, 'x', widget({ spec: {} })), 'upd', widget({ status: { phase: 'A' } }), {
      subresource: 'status',
    })
    const error = conflict(() => apply(updated, 'm1', widget({ status: { phase: 'B' } }), { subresource: 'status' }))
    assert.match(
      error.message,
      /conflict with "upd" with subresource "status" using checks\.example\.com\/v1: \.status\.phase$/,
    )
  })

  it('is with oneself, when the field was updated and not applied', () => {
    const updated = update(undefined, 'm1', spec({ size: 1 }))
    assert.equal(conflict(() => apply(updated, 'm1', spec({ size: 2 }))).code, 409)
  })

  it('does not arise for what others do not own', () => {
    assert.deepEqual(apply(live, 'm2', spec({ opts: { l: '2' } }))['spec'], {
      ...(live['spec'] as JsonObject),
      opts: { k: '1', l: '2' },
    })
  })

  it('is settled by force: the field changes hands, and an entry left empty vanishes', () => {
    const small = apply(undefined, 'm1', spec({ size: 1 }))
    const forced = apply(small, 'm2', spec({ size: 2 }), { force: true })
    assert.deepEqual(forced['spec'], { size: 2 })
    assert.equal(fieldsOf(forced, 'm1'), undefined)
    const kept = apply(live, 'm2', spec({ size: 2 }), { force: true })
    assert.deepEqual(fieldsOf(kept, 'm1'), {
      'f:spec': {
        'f:color': {},
        'f:opts': { 'f:k': {} },
        'f:parts': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:qty': {} } },
      },
    })
  })
})
