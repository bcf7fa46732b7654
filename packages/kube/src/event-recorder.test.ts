import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeServer } from '@godwit/kube-server'
import { VirtualClock } from '@godwit/ports'
import { type Answer, type Asked, failure, ScriptedTransport } from '../test/scripted-transport.ts'
import { drive, elapse, settle } from '../test/virtual-time.ts'
import { KubeClient } from './client.ts'
import { EventRecorder } from './event-recorder.ts'
import type { EventInput } from './event-series.ts'
import type { KubeObject } from './object.ts'
import { resources } from './resource.ts'
import { TransportError } from './transport.ts'

const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'x', uid: 'u1', resourceVersion: '5', labels: { large: 'content' } },
}
const input = (message: string, more: Partial<EventInput> = {}): EventInput => ({
  regarding: pod,
  type: 'Normal',
  reason: 'Moved',
  message,
  ...more,
})
const metadata = { name: 'event', namespace: 'x' }

function setUp(answer: (asked: Asked, index: number) => Answer = () => ({ body: { metadata } })) {
  const clock = new VirtualClock()
  const transport = new ScriptedTransport(answer)
  const client = new KubeClient({ transport, clock })
  const random = { next: () => 0.5 }
  const recorder = new EventRecorder({ client, component: 'mover', instance: 'host-1', clock, random })
  const writes = () =>
    transport.asked.map(({ method, body }) => ({ method, ...(body as { count: number; message: string }) }))
  return { clock, transport, recorder, writes }
}

test('an event has the form that kubectl describe looks for', async () => {
  const { transport, recorder } = setUp()
  recorder.record(input('went well', { action: 'Migrate' }))
  await recorder.flush()
  const { metadata: written, ...event } = transport.last.body as KubeObject & Record<string, unknown>
  assert.equal(transport.last.path, '/api/v1/namespaces/x/events')
  assert.match(written.name, /^web\.[0-9a-f]+$/)
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'web', namespace: 'x', uid: 'u1', resourceVersion: '5' },
    type: 'Normal',
    reason: 'Moved',
    message: 'went well',
    action: 'Migrate',
    source: { component: 'mover', host: 'host-1' },
    reportingComponent: 'mover',
    reportingInstance: 'host-1',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  })
})

test('a real server takes events, also of cluster-scoped objects and of awkward names', async () => {
  const server = await KubeServer.start({ listen: false })
  const client = new KubeClient({ transport: server.transport() })
  const recorder = new EventRecorder({ client, component: 'mover', instance: 'host-1' })
  const names = ['node-1', `${'a'.repeat(199)}-b`, `${'a'.repeat(199)}.b`, 'z'.repeat(253)]
  for (const name of names)
    recorder.record(input('x', { regarding: { apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name } } }))
  for (let turn = 0; turn < 3; turn++)
    recorder.record(input('again', { regarding: { ...pod, metadata: { name: 'n' } } }))
  await recorder.flush()
  assert.equal(recorder.dropped, 0)
  type Written = KubeObject & { readonly count: number; readonly message: string }
  const { items } = await client.list<Written>(resources.events, { namespace: 'default' })
  assert.equal(items.length, names.length + 1)
  assert.equal(items.find(item => item.message === 'again')?.count, 3)
  await server.stop()
})

test('repetitions count up in one event, written from time to time', async () => {
  const { clock, recorder, writes } = setUp()
  for (let turn = 0; turn < 100; turn++) {
    recorder.record(input('again'))
    await elapse(clock, 1000)
  }
  await recorder.flush()
  const [first, ...rest] = writes()
  assert.deepEqual([first?.method, first?.count], ['POST', 1])
  assert.ok(rest.length >= 9 && rest.length <= 11, `${rest.length} updates in 100 s`)
  assert.ok(rest.every(({ method }) => method === 'PATCH'))
  assert.equal(rest.at(-1)?.count, 100)
})

test('another message, reason, type or object is another event', async () => {
  const { recorder, writes } = setUp()
  const other = { ...pod, metadata: { ...pod.metadata, uid: 'u2' } }
  for (const each of [
    input('a'),
    input('b'),
    input('a', { reason: 'R' }),
    input('a', { type: 'Warning' }),
    input('a', { regarding: other }),
  ])
    recorder.record(each)
  await recorder.flush()
  assert.deepEqual(
    writes().map(({ method }) => method),
    Array(5).fill('POST'),
  )
})

test('a flood of wordings becomes one event', async () => {
  const { recorder, writes } = setUp()
  for (let index = 0; index < 500; index++) recorder.record(input(`failed at ${index}`))
  await recorder.flush()
  assert.equal(writes().length, 11)
  const last = writes().at(-1)
  assert.deepEqual([last?.message, last?.count], ['(and similar) failed at 499', 490])
})

test('a repetition after a long time, or of an event that is gone, begins a new one', async () => {
  const late = setUp()
  late.recorder.record(input('a'))
  await late.recorder.flush()
  await elapse(late.clock, 11 * 60_000)
  late.recorder.record(input('a'))
  await late.recorder.flush()
  assert.deepEqual(
    late.writes().map(({ method, count }) => [method, count]),
    [
      ['POST', 1],
      ['POST', 1],
    ],
  )
  const gone = setUp(({ method }) => (method === 'PATCH' ? failure(404, 'NotFound') : { body: { metadata } }))
  gone.recorder.record(input('a'))
  await gone.recorder.flush()
  gone.recorder.record(input('a'))
  await gone.recorder.flush()
  assert.deepEqual(
    gone.writes().map(({ method, count }) => [method, count]),
    [
      ['POST', 1],
      ['PATCH', 2],
      ['POST', 2],
    ],
  )
})

test('writes are limited in rate, and flush does not wait for it', async () => {
  const { clock, recorder, transport } = setUp()
  for (let index = 0; index < 400; index++)
    recorder.record(input('x', { regarding: { ...pod, metadata: { ...pod.metadata, uid: `${index}` } } }))
  await settle(10)
  assert.ok(transport.asked.length <= 101, `${transport.asked.length} at once`)
  await elapse(clock, 5000)
  assert.ok(transport.asked.length <= 201, `${transport.asked.length} after 5 s`)
  await recorder.flush()
  assert.equal(transport.asked.length, 400)
})

test('a long queue drops, and says how much', async () => {
  const { recorder, transport } = setUp()
  for (let index = 0; index < 3000; index++)
    recorder.record(input('x', { regarding: { ...pod, metadata: { ...pod.metadata, uid: `${index}` } } }))
  assert.ok(recorder.dropped > 1900, `${recorder.dropped} dropped`)
  await recorder.flush()
  assert.ok(transport.asked.length < 2100, `${transport.asked.length} written`)
})

test('a write that fails for a while is repeated, one that was refused is not', async () => {
  const busy = setUp((_, index) => (index < 2 ? { status: 503 } : { body: { metadata } }))
  busy.recorder.record(input('a'))
  await elapse(busy.clock, 10_000)
  assert.deepEqual([busy.transport.asked.length, busy.recorder.dropped], [3, 0])
  const refused = setUp(() => failure(403, 'Forbidden'))
  refused.recorder.record(input('a'))
  await elapse(refused.clock, 10_000)
  assert.deepEqual([refused.transport.asked.length, refused.recorder.dropped], [1, 1])
  const taken = setUp((_, index) => (index === 0 ? failure(409, 'AlreadyExists') : { body: { metadata } }))
  taken.recorder.record(input('a'))
  await elapse(taken.clock, 10_000)
  const names = taken.transport.asked.map(({ body }) => (body as KubeObject).metadata.name)
  assert.equal(new Set(names).size, 2, 'a taken name is replaced')
})

test('a write whose answer was lost does not make a second event', async () => {
  const { clock, recorder, writes } = setUp((_, index) => {
    if (index === 0) throw new TransportError('Timeout', 'no answer in time', { wasSent: true })
    return { body: { metadata } }
  })
  recorder.record(input('a'))
  await elapse(clock, 10_000)
  assert.deepEqual(
    writes().map(({ method }) => method),
    ['POST', 'PATCH'],
  )
})

test('flush gives up on a server that does not answer', async () => {
  const { clock, recorder, transport } = setUp(() => {
    throw new TransportError('ConnectionError', 'refused', { wasSent: false })
  })
  for (let index = 0; index < 50; index++) recorder.record(input('x', { reason: `R${index}` }))
  await drive(clock, recorder.flush())
  assert.equal(recorder.dropped, 50)
  assert.ok(transport.asked.length <= 3, `${transport.asked.length} attempts`)
  assert.equal(clock.untilNext(), undefined)
})

test('recording never throws, whatever it is given', () => {
  const { recorder } = setUp()
  for (const nonsense of [undefined, {}, { regarding: {} }, { ...input('a'), message: undefined }])
    recorder.record(nonsense as unknown as EventInput)
  assert.equal(recorder.dropped, 4)
})

test('a large object that is regarded is not kept', async () => {
  const { recorder, transport } = setUp()
  recorder.record(input('a', { regarding: { ...pod, spec: 'x'.repeat(1000) } as KubeObject }))
  await recorder.flush()
  assert.ok(!JSON.stringify(transport.last.body).includes('xxx'))
})
