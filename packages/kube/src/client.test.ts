import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn, seededRandom, VirtualClock } from '@godwit/ports'
import { type Answer, type Asked, failure, ScriptedTransport } from '../test/scripted-transport.ts'
import { KubeClient } from './client.ts'
import { isConflict, isNotFound, KubeError } from './errors.ts'
import type { KubeObject } from './object.ts'
import { defineResource, resources } from './resource.ts'
import { TransportError } from './transport.ts'

const widgets = defineResource('checks.example.com/v1', 'Widget', 'widgets', 'Namespaced')
const widget = (name: string, metadata: object = {}): KubeObject => ({
  apiVersion: 'checks.example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'x', ...metadata },
})
const a = { namespace: 'x', name: 'a' }
const path = '/apis/checks.example.com/v1/namespaces/x/widgets'

function clientOf(answer: (asked: Asked, index: number) => Answer | Promise<Answer>) {
  const transport = new ScriptedTransport(answer)
  const clock = new VirtualClock()
  return { transport, clock, client: new KubeClient({ transport, clock, random: seededRandom(1) }) }
}

const always = (body: unknown) => clientOf(() => ({ body }))

test('get returns the object; undefined only when the server says that this object does not exist', async () => {
  const { client, transport } = always(widget('a'))
  assert.deepEqual(await client.get(widgets, a), widget('a'))
  assert.equal(transport.last.path, `${path}/a`)
  const missing = clientOf(() => failure(404, 'NotFound', '', { name: 'a', kind: 'widgets' }))
  assert.equal(await missing.client.get(widgets, a), undefined)
})

test('a kind that is not served is an error, not an object that does not exist', async () => {
  for (const answer of [failure(404, 'NotFound', 'no such resource'), { status: 404, body: '404 page not found\n' }]) {
    const { client } = clientOf(() => answer)
    await assert.rejects(client.get(widgets, a), isNotFound)
    await assert.rejects(client.delete(widgets, a), isNotFound)
  }
})

test('an answer that is not what was asked for is an error', async () => {
  for (const body of ['<html>', '', 'null', [], {}, { metadata: {} }, { kind: 'Status', metadata: {} }])
    await assert.rejects(always(body).client.get(widgets, a), { reason: 'UnexpectedContent' })
  for (const body of [
    {},
    { items: [], metadata: {} },
    { items: {}, metadata: { resourceVersion: '1' } },
    { items: [{}], metadata: { resourceVersion: '1' } },
  ])
    await assert.rejects(always(body).client.list(widgets), { reason: 'UnexpectedContent' })
})

test('list follows the pages of one snapshot and keeps the version of the first', async () => {
  const pages: Record<string, unknown> = {
    '': { items: [widget('a'), widget('b')], metadata: { resourceVersion: '10', continue: 'p2' } },
    p2: { items: [widget('c')], metadata: { resourceVersion: '12', continue: '' } },
  }
  const { client, transport } = clientOf(({ query }) => ({ body: pages[query.get('continue') ?? ''] }))
  const options = { namespace: 'x', labelSelector: 'a=b', fieldSelector: 'metadata.name!=z', pageSize: 2 }
  const list = await client.list(widgets, { ...options, notOlderThan: '9' })
  assert.deepEqual(
    list.items.map(item => item.metadata.name),
    ['a', 'b', 'c'],
  )
  assert.equal(list.resourceVersion, '10')
  const [first, second] = transport.asked.map(({ query }) => Object.fromEntries(query))
  const selectors = { labelSelector: 'a=b', fieldSelector: 'metadata.name!=z', limit: '2' }
  assert.deepEqual(first, { ...selectors, resourceVersion: '9', resourceVersionMatch: 'NotOlderThan' })
  assert.deepEqual(second, { ...selectors, continue: 'p2' })
})

test('a list whose snapshot expired half-way is read again in one piece', async () => {
  const { client, transport } = clientOf(({ query }) => {
    if (query.get('continue')) return failure(410, 'Expired')
    const isPaged = query.get('limit') !== null
    const metadata = isPaged ? { resourceVersion: '1', continue: 'p2' } : { resourceVersion: '5' }
    return { body: { items: [widget(isPaged ? 'old' : 'new')], metadata } }
  })
  const list = await client.list(widgets)
  assert.deepEqual([list.items.map(item => item.metadata.name), list.resourceVersion], [['new'], '5'])
  assert.equal(transport.asked.length, 3)
})

test('a list that never advances is an error', async () => {
  const { client } = always({ items: [], metadata: { resourceVersion: '1', continue: 'same' } })
  await assert.rejects(client.list(widgets), { reason: 'UnexpectedContent' })
})

test('items of built-ins get the apiVersion and kind that lists leave out', async () => {
  const { client } = always({ items: [{ metadata: { name: 'a' } }], metadata: { resourceVersion: '1' } })
  const [item] = (await client.list(resources.secrets)).items
  assert.deepEqual(item, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })
  assert.deepEqual((await always({ items: null, metadata: { resourceVersion: '1' } }).client.list(widgets)).items, [])
})

test('every write names its content type and its field manager', async () => {
  const { client, transport } = always(widget('a'))
  const sent = () => [
    transport.last.method,
    transport.last.path,
    transport.last.headers['content-type'],
    transport.last.query.toString(),
  ]
  await client.create(widgets, widget('a'), { dryRun: true })
  assert.deepEqual(sent(), ['POST', path, 'application/json', 'fieldManager=godwit&dryRun=All'])
  await client.replace(widgets, widget('a', { resourceVersion: '1' }), { subresource: 'status' })
  assert.deepEqual(sent(), ['PUT', `${path}/a/status`, 'application/json', 'fieldManager=godwit'])
  await client.patch(widgets, a, {})
  assert.deepEqual(sent(), ['PATCH', `${path}/a`, 'application/merge-patch+json', 'fieldManager=godwit'])
  await client.patch(widgets, a, {}, { type: 'strategic', fieldManager: 'other' })
  assert.deepEqual(sent(), ['PATCH', `${path}/a`, 'application/strategic-merge-patch+json', 'fieldManager=other'])
  await client.patch(widgets, a, [{ op: 'remove', path: '/spec/a' }], { type: 'json' })
  assert.deepEqual(sent(), ['PATCH', `${path}/a`, 'application/json-patch+json', 'fieldManager=godwit'])
  await client.apply(widgets, widget('a'), { force: true })
  assert.deepEqual(sent(), ['PATCH', `${path}/a`, 'application/apply-patch+yaml', 'force=true&fieldManager=godwit'])
  const { body, headers } = transport.last.request
  assert.equal(headers['content-length'], String(Buffer.byteLength(String(body))))
})

test('an object with a generated name is created without a name', async () => {
  const { client, transport } = always(widget('a-x'))
  await client.create(widgets, { ...widget(''), metadata: { name: '', namespace: 'x', generateName: 'a-' } })
  assert.deepEqual(transport.last.body, { ...widget(''), metadata: { namespace: 'x', generateName: 'a-' } })
})

test('a replace without a version is refused before it is sent', async () => {
  const { client, transport } = always({})
  await assert.rejects(client.replace(widgets, widget('a')), /resourceVersion is missing/)
  assert.equal(transport.asked.length, 0)
})

test('the precondition of a merge patch travels in its metadata, beside what is patched there', async () => {
  const { client, transport } = always(widget('a'))
  const precondition = { uid: 'u', resourceVersion: '7' }
  await client.patch(widgets, a, { metadata: { labels: { k: 'v' } } }, { precondition })
  assert.deepEqual(transport.last.body, { metadata: { labels: { k: 'v' }, uid: 'u', resourceVersion: '7' } })
  await client.patch(widgets, a, [{ op: 'remove', path: '/spec' }], { type: 'json', precondition })
  assert.deepEqual(transport.last.body, [
    { op: 'test', path: '/metadata/uid', value: 'u' },
    { op: 'test', path: '/metadata/resourceVersion', value: '7' },
    { op: 'remove', path: '/spec' },
  ])
})

test('a patch that meets an object of another uid is a conflict', async () => {
  const causes = [{ field: 'metadata.uid', reason: 'FieldValueInvalid' }]
  const mismatch = clientOf(() => failure(422, 'Invalid', '', { causes }))
  await assert.rejects(mismatch.client.patch(widgets, a, {}, { precondition: { uid: 'u' } }), isConflict)
  await assert.rejects(mismatch.client.patch(widgets, a, { metadata: { uid: 'u' } }), { status: 422 })
  const other = clientOf(() => failure(422, 'Invalid', '', { causes: [...causes, { field: 'spec.size' }] }))
  await assert.rejects(other.client.patch(widgets, a, {}, { precondition: { uid: 'u' } }), { status: 422 })
})

test('a uid guards a subresource by way of the version, because servers ignore its metadata', async () => {
  let version = 3
  const { client, transport } = clientOf(({ method }) => {
    if (method === 'GET') return { body: widget('a', { uid: 'u', resourceVersion: String(version) }) }
    version += 1
    return version < 5 ? failure(409, 'Conflict') : { body: widget('a') }
  })
  await client.patch(widgets, a, { status: {} }, { subresource: 'status', precondition: { uid: 'u' } })
  assert.deepEqual(
    transport.asked.map(({ method }) => method),
    ['GET', 'PATCH', 'GET', 'PATCH'],
  )
  assert.deepEqual(transport.last.body, { status: {}, metadata: { uid: 'u', resourceVersion: '4' } })
  const guarded = { subresource: 'status', precondition: { uid: 'other' } }
  await assert.rejects(client.patch(widgets, a, {}, guarded), isConflict)
  const gone = clientOf(() => failure(404, 'NotFound', '', { name: 'a' }))
  await assert.rejects(gone.client.patch(widgets, a, {}, guarded), isNotFound)
  assert.equal(gone.transport.asked.length, 1)
})

test('delete tells deleted, deleting and absent apart', async () => {
  const outcome = (answer: Answer) => clientOf(() => answer).client.delete(widgets, a)
  assert.equal(await outcome({ body: { kind: 'Status', status: 'Success', details: { uid: 'u' } } }), 'deleted')
  assert.equal(await outcome({ body: widget('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }) }), 'deleting')
  assert.equal(await outcome({ body: widget('a') }), 'deleted')
  assert.equal(await outcome(failure(404, 'NotFound', '', { name: 'a' })), 'absent')
  await assert.rejects(outcome(failure(409, 'Conflict')), isConflict)
})

test('delete sends options only when there are some', async () => {
  const { client, transport } = always({ kind: 'Status' })
  await client.delete(widgets, a)
  assert.equal(transport.last.body, undefined)
  assert.equal(transport.last.headers['content-type'], undefined)
  await client.delete(widgets, a, { precondition: { uid: 'u' }, propagationPolicy: 'Foreground' })
  assert.deepEqual(transport.last.body, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u' },
    propagationPolicy: 'Foreground',
  })
})

test('a read is asked again when the server asks for patience, and not for ever', async () => {
  const patient = clientOf((_, index) =>
    index < 2 ? { status: 429, headers: { 'retry-after': '3' }, body: 'later' } : { body: widget('a') },
  )
  const reading = patient.client.get(widgets, a)
  await nextTurn()
  assert.equal(patient.transport.asked.length, 1)
  patient.clock.advance(2999)
  await nextTurn()
  assert.equal(patient.transport.asked.length, 1, 'not before the server said')
  await drive(patient.clock, reading)
  assert.equal(patient.transport.asked.length, 3)
  const busy = clientOf(() => ({ status: 503, headers: { 'retry-after': '1' } }))
  await assert.rejects(drive(busy.clock, busy.client.get(widgets, a)), { status: 503 })
  assert.equal(busy.transport.asked.length, 5)
  const broken = clientOf(() => ({ status: 500 }))
  await assert.rejects(broken.client.get(widgets, a), { status: 500 })
  assert.equal(broken.transport.asked.length, 1, 'no patience was asked for')
})

test('a write is sent once, whatever happens to it', async () => {
  const answers: (() => Answer)[] = [
    () => ({ status: 429, headers: { 'retry-after': '1' } }),
    () => ({ status: 503, headers: { 'retry-after': '1' } }),
    () => {
      throw new TransportError('ConnectionError', 'reset', { wasSent: true })
    },
  ]
  for (const answer of answers) {
    const { client, transport } = clientOf(answer)
    await assert.rejects(client.create(widgets, widget('a')))
    await assert.rejects(client.replace(widgets, widget('a', { resourceVersion: '1' })))
    await assert.rejects(client.patch(widgets, a, {}))
    await assert.rejects(client.apply(widgets, widget('a')))
    await assert.rejects(client.delete(widgets, a))
    await assert.rejects(client.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {}))
    assert.equal(transport.asked.length, 6)
  }
})

test('a lost answer says whether the write may have happened', async () => {
  const lost = (wasSent: boolean) =>
    clientOf(() => {
      throw new TransportError('Timeout', 'no answer in time', { wasSent })
    }).client
  const outcome = async (attempt: Promise<unknown>) => {
    const error = await attempt.catch((reason: unknown) => reason)
    assert.ok(error instanceof KubeError && error.status === 0 && error.reason === 'Timeout' && error.isRetryable())
    return error.isOutcomeUnknown()
  }
  assert.equal(await outcome(lost(true).create(widgets, widget('a'))), true)
  assert.equal(await outcome(lost(false).create(widgets, widget('a'))), false)
  assert.equal(await outcome(lost(true).get(widgets, a)), false)
})

test('an error of a kind that no transport names counts as a lost answer', async () => {
  const { client } = clientOf(() => {
    throw new Error('surprise')
  })
  await assert.rejects(client.create(widgets, widget('a')), (error: unknown) => {
    return error instanceof KubeError && error.reason === 'ConnectionError' && error.isOutcomeUnknown()
  })
})

test('another identity shares transport and counts, and never mixes with a third', async () => {
  const { client, transport } = always(widget('a'))
  const user = client.as({ user: 'dev', groups: ['g1', 'g2'] })
  await user.get(widgets, a)
  assert.equal(transport.last.headers['impersonate-user'], 'dev')
  assert.deepEqual(transport.last.headers['impersonate-group'], ['g1', 'g2'])
  await user.as({ token: 't' }).get(widgets, a)
  assert.equal(transport.last.headers['authorization'], 'Bearer t')
  assert.equal(transport.last.headers['impersonate-user'], undefined)
  assert.equal(client.calls.of('get', 'widgets.checks.example.com'), 2)
  await user.close()
  assert.equal(transport.isClosed, false, 'the connections belong to the client they came from')
  await client.close()
  assert.equal(transport.isClosed, true)
})

test('calls are counted by verb and resource, each page and each opened watch once', async () => {
  const { client } = clientOf(({ query }) => {
    const metadata = { resourceVersion: '1', ...(!query.has('continue') && { continue: 'p2' }) }
    return { body: { items: [], metadata, kind: 'List' } }
  })
  await client.list(widgets)
  for await (const _ of client.watch(widgets, { resourceVersion: '1' })) assert.fail('no event was sent')
  await assert.rejects(client.patch(widgets, a, {}, { subresource: 'status' }))
  const counts = client.calls.entries().map(({ verb, resource, count }) => `${verb} ${resource} ${count}`)
  const name = 'widgets.checks.example.com'
  assert.deepEqual(counts, [`list ${name} 2`, `watch ${name} 1`, `patch ${name}/status 1`])
  assert.equal(client.calls.total, 4)
  assert.equal(client.calls.of('list'), 2)
})

test('whether a kind is served is asked once, and "no" is soon asked again', async () => {
  let plurals = ['widgets']
  const { client, transport, clock } = clientOf(({ path: asked }) =>
    asked.includes('absent') ? { status: 404, body: 'no' } : { body: { resources: plurals.map(name => ({ name })) } },
  )
  const gadgets = { ...widgets, plural: 'gadgets' }
  assert.deepEqual([await client.serves(widgets), await client.serves(gadgets)], [true, false])
  assert.equal(transport.asked.length, 1)
  plurals = ['gadgets']
  clock.advance(2_000)
  assert.deepEqual([await client.serves(gadgets), await client.serves(widgets)], [true, false])
  assert.equal(transport.asked.length, 2)
  assert.equal(await client.serves(defineResource('absent.example.com/v1', 'A', 'as', 'Cluster')), false)
})

test('a failed discovery is not remembered as an answer', async () => {
  const { client } = clientOf((_, index) =>
    index === 0 ? { status: 500 } : { body: { resources: [{ name: 'widgets' }] } },
  )
  await assert.rejects(client.serves(widgets), { status: 500 })
  assert.equal(await client.serves(widgets), true)
})

test('each request has a time limit, also where the caller named none', async () => {
  const { client, transport } = always(widget('a'))
  await client.get(widgets, a)
  assert.equal(transport.last.request.timeoutMs, 30_000)
  await client.get(widgets, a, { timeoutMs: 5 })
  assert.equal(transport.last.request.timeoutMs, 5)
})

/** Lets virtual time pass until the promise is settled. */
async function drive<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  promise.then(settle, settle)
  for (let turn = 0; !isSettled && turn < 1000; turn++) {
    clock.advance(1000)
    await nextTurn()
  }
  return await promise
}
