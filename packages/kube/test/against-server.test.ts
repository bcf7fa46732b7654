/** The client against our own API server over real sockets: what each verb does, and what faults do to it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { type FaultRule, KubeServer } from '@godwit/kube-server'
import { seededRandom, systemClock } from '@godwit/ports'
import {
  defineResource,
  httpTransport,
  Informer,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  KubeClient,
  KubeError,
  type KubeObject,
  LeaderElector,
  resources,
  until,
} from '../src/index.ts'
import { ChangeLog } from './change-log.ts'

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const widgets = defineResource('checks.example.com/v1', 'Widget', 'widgets', 'Namespaced')
const widgetCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.checks.example.com' },
  spec: {
    group: 'checks.example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
})
const ref = (name: string) => ({ namespace: 'default', name })

let server: KubeServer
let client: KubeClient
const open: { stop(): Promise<void> }[] = []

beforeEach(async () => {
  server = await KubeServer.start({ historyEvents: 200 })
  client = new KubeClient({ transport: httpTransport({ server: server.url }), random: seededRandom(1) })
})

afterEach(async () => {
  for (const each of open.splice(0)) await each.stop()
  await client.close()
  await server.stop()
})

function informerOf(from = client): Informer<ConfigMap> {
  const informer = new Informer<ConfigMap>({
    client: from,
    resource: resources.configMaps,
    namespace: 'default',
    clock: systemClock,
    random: seededRandom(2),
    backoff: { baseMs: 5, maxMs: 50 },
    acceptOlderAfterMs: 60_000,
  })
  open.push(informer)
  return informer
}

/** Waits until the cache is what a list of the server shows. */
async function caughtUp(informer: Informer<ConfigMap>): Promise<void> {
  const { items } = await client.list<ConfigMap>(resources.configMaps, { namespace: 'default' })
  const wanted = items.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).sort()
  const isThere = () => {
    const cached = informer.list().map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`)
    return JSON.stringify(cached.sort()) === JSON.stringify(wanted)
  }
  await until(informer, isThere, { timeoutMs: 20_000 })
}

test('objects are made, read, replaced, patched, applied and deleted', async () => {
  const made = await client.create(resources.configMaps, configMap('a', { k: '1' }))
  await assert.rejects(client.create(resources.configMaps, configMap('a')), isAlreadyExists)
  assert.deepEqual(await client.get(resources.configMaps, ref('a')), made)
  assert.equal(await client.get(resources.configMaps, ref('b')), undefined)
  const replaced = await client.replace<ConfigMap>(resources.configMaps, { ...made, data: { k: '2' } })
  await assert.rejects(client.replace(resources.configMaps, { ...made, data: { k: '3' } }), isConflict)
  const merged = await client.patch<ConfigMap>(resources.configMaps, ref('a'), { data: { l: '1' } })
  assert.deepEqual(merged.data, { k: '2', l: '1' })
  const stale = { precondition: { resourceVersion: replaced.metadata.resourceVersion ?? '' } }
  await assert.rejects(client.patch(resources.configMaps, ref('a'), { data: { l: '2' } }, stale), isConflict)
  await assert.rejects(
    client.patch(resources.configMaps, ref('a'), { data: { l: '2' } }, { precondition: { uid: 'other' } }),
    isConflict,
  )
  const operations = [{ op: 'remove', path: '/data/l' }]
  const patched = await client.patch<ConfigMap>(resources.configMaps, ref('a'), operations, { type: 'json' })
  assert.deepEqual(patched.data, { k: '2' })
  const applied = await client.apply<ConfigMap>(resources.configMaps, configMap('a', { m: '1' }), {
    fieldManager: 'other',
  })
  assert.deepEqual(applied.data, { k: '2', m: '1' })
  const taking = () => client.apply(resources.configMaps, configMap('a', { k: '9' }), { fieldManager: 'other' })
  await assert.rejects(taking(), isConflict)
  await client.apply(resources.configMaps, configMap('a', { k: '9' }), { fieldManager: 'other', force: true })
  await assert.rejects(client.delete(resources.configMaps, ref('a'), { precondition: { uid: 'other' } }), isConflict)
  assert.equal(await client.delete(resources.configMaps, ref('a')), 'deleted')
  assert.equal(await client.delete(resources.configMaps, ref('a')), 'absent')
  await assert.rejects(client.patch(resources.configMaps, ref('a'), {}), isNotFound)
})

test('finalizers hold a deletion, a generated name is made, a dry run changes nothing', async () => {
  const held = { ...configMap('held'), metadata: { ...ref('held'), finalizers: ['checks.example.com/hold'] } }
  await client.create(resources.configMaps, held)
  assert.equal(await client.delete(resources.configMaps, ref('held')), 'deleting')
  await client.patch(resources.configMaps, ref('held'), { metadata: { finalizers: null } })
  assert.equal(await client.get(resources.configMaps, ref('held')), undefined)
  const generated = { ...configMap(''), metadata: { namespace: 'default', name: '', generateName: 'gen-' } }
  assert.match((await client.create(resources.configMaps, generated)).metadata.name, /^gen-.{5}$/)
  await client.create(resources.configMaps, configMap('dry'), { dryRun: true })
  assert.equal(await client.get(resources.configMaps, ref('dry')), undefined)
  await assert.rejects(client.create(resources.configMaps, configMap('Not A Name')), isInvalid)
})

test('a kind that is installed is served, guarded by uid also in its status, and an error once it is gone', async () => {
  assert.equal(await client.serves(widgets), false)
  await assert.rejects(client.get(widgets, ref('a')), isNotFound)
  await client.create(resources.customResourceDefinitions, widgetCrd)
  const widget: KubeObject = { apiVersion: 'checks.example.com/v1', kind: 'Widget', metadata: ref('a') }
  const eventually = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let turn = 0; ; turn++) {
      try {
        return await attempt()
      } catch (error) {
        if (!isNotFound(error) || turn > 500) throw error
      }
    }
  }
  const made = await eventually(() => client.create(widgets, widget))
  const status = { subresource: 'status', precondition: { uid: made.metadata.uid ?? '' } }
  const patched = await client.patch<KubeObject & { status?: object }>(widgets, ref('a'), { status: { is: 1 } }, status)
  assert.deepEqual(patched.status, { is: 1 })
  await client.delete(widgets, ref('a'))
  await client.create(widgets, widget)
  await assert.rejects(client.patch(widgets, ref('a'), { status: { is: 2 } }, status), isConflict)
})

test('a long list comes in pages of one snapshot', async () => {
  await Promise.all(
    Array.from({ length: 30 }, (_, index) => client.create(resources.configMaps, configMap(`c-${index}`))),
  )
  const before = client.calls.of('list')
  const { items } = await client.list<ConfigMap>(resources.configMaps, { namespace: 'default', pageSize: 7 })
  assert.equal(items.filter(({ metadata }) => metadata.name.startsWith('c-')).length, 30)
  assert.ok(client.calls.of('list') - before >= 5)
  assert.ok(items.every(item => item.kind === 'ConfigMap' && item.apiVersion === 'v1'))
})

test('a watch tells changes from its version on, ends with its time, and refuses a forgotten version', async () => {
  const { resourceVersion } = await client.list(resources.configMaps)
  await client.create(resources.configMaps, configMap('a'))
  await client.patch(resources.configMaps, ref('a'), { data: { k: '1' } })
  await client.delete(resources.configMaps, ref('a'))
  const events: string[] = []
  for await (const event of client.watch(resources.configMaps, { resourceVersion, timeoutSeconds: 1 }))
    if (event.type !== 'BOOKMARK') events.push(`${event.type} ${event.object.metadata.name}`)
  assert.deepEqual(events, ['ADDED a', 'MODIFIED a', 'DELETED a'])
  for (let index = 0; index < 300; index++)
    await client.patch(resources.namespaces, { name: 'default' }, { metadata: { labels: { i: `${index}` } } })
  await assert.rejects(async () => {
    for await (const _ of client.watch(resources.namespaces, { resourceVersion: '1' })) assert.fail('an event came')
  }, isExpired)
})

test('other identities are known by the server as who they are', async () => {
  const guarded = await KubeServer.start({
    tls: true,
    auth: { users: [{ name: 'dev', token: 'dev-token', groups: [] }] },
  })
  const admin = KubeClient.fromKubeconfig({ text: guarded.kubeconfig() })
  await admin.list(resources.secrets)
  for (const other of [admin.as({ user: 'dev' }), admin.as({ token: 'dev-token' })])
    await assert.rejects(other.list(resources.secrets), (error: unknown) => {
      return isForbidden(error) && error instanceof KubeError && error.message.includes('User "dev" cannot list')
    })
  await assert.rejects(admin.as({ token: 'wrong' }).list(resources.secrets), { status: 401 })
  await admin.close()
  await guarded.stop()
})

const disturbances: readonly { readonly name: string; readonly rules: readonly FaultRule[] }[] = [
  { name: 'watches end after each event', rules: [watchFault('end', 1)] },
  { name: 'watches are cut after two events', rules: [watchFault('cut', 2)] },
  { name: 'versions expire after three events', rules: [watchFault('expire', 3)] },
  {
    name: 'watches end, are cut or expire by chance',
    rules: [
      watchFault('end', 3),
      ...(['cut', 'expire'] as const).map(how => ({ ...watchFault(how, 1), probability: 0.5 })),
    ],
  },
  {
    name: 'reads fail',
    rules: [watchFault('end', 1), ...([500, 503, 403] as const).map(code => read({ kind: 'status', code }, 0.3))],
  },
  { name: 'reads are cut', rules: [watchFault('end', 1), read({ kind: 'cut', applied: false }, 0.4)] },
  {
    name: 'lists lag behind',
    rules: [watchFault('expire', 2), { verbs: ['list'], probability: 0.5, effect: { kind: 'stale', versions: 3 } }],
  },
]

function watchFault(how: 'end' | 'cut' | 'expire', afterEvents: number): FaultRule {
  return { verbs: ['watch'], effect: { kind: 'end-watch', afterEvents, how } }
}

function read(effect: FaultRule['effect'], probability: number): FaultRule {
  return { verbs: ['list', 'watch'], probability, effect }
}

for (const { name, rules } of disturbances)
  test(`an informer keeps up while ${name}`, async () => {
    for (const rule of rules) server.faults.add({ ...rule, resources: ['configmaps'] })
    const informer = informerOf()
    const log = new ChangeLog<ConfigMap>()
    informer.onChange(log.handle)
    informer.start()
    for (let round = 0; round < 40 || (server.faults.strikes < 5 && round < 2000); round++) {
      const object = ref(`c-${round % 5}`)
      if (round % 7 === 6) await client.delete(resources.configMaps, object)
      else await client.apply(resources.configMaps, configMap(object.name, { round: String(round) }))
    }
    await until(informer, () => true, { timeoutMs: 20_000 })
    assert.ok(server.faults.strikes >= 5, `${server.faults.strikes} strikes`)
    server.faults.clear()
    await caughtUp(informer)
    assert.deepEqual(log.complaints, [])
    await informer.stop()
  })

test('an informer and a leader survive a server that is killed and comes back with its data', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kube-'))
  const first = await KubeServer.start({ storage: { folder } })
  const port = Number(new URL(first.url).port)
  const far = new KubeClient({ transport: httpTransport({ server: first.url }), random: seededRandom(3) })
  const informer = informerOf(far)
  const log = new ChangeLog<ConfigMap>()
  informer.onChange(log.handle)
  informer.start()
  const stop = new AbortController()
  const epochs: number[] = []
  const elector = new LeaderElector({
    client: far,
    ...ref('election'),
    identity: 'a',
    leaseDurationMs: 60_000,
    renewDeadlineMs: 50_000,
    retryPeriodMs: 20,
    clock: systemClock,
    random: seededRandom(4),
  })
  const leading = elector.run(stop.signal, async ({ epoch, signal }) => {
    epochs.push(epoch)
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  })
  await far.create(resources.configMaps, configMap('before'))
  await until(informer, cache => cache.get(ref('before')) !== undefined, { timeoutMs: 20_000 })
  await first.stop()
  await assert.rejects(far.create(resources.configMaps, configMap('meanwhile')), { status: 0 })
  const second = await KubeServer.start({ storage: { folder }, port })
  const writer = new KubeClient({ transport: second.transport() })
  await writer.delete(resources.configMaps, ref('before'))
  await writer.create(resources.configMaps, configMap('after'))
  const isCaughtUp = (cache: Informer<ConfigMap>) => !cache.get(ref('before')) && cache.get(ref('after')) !== undefined
  await until(informer, isCaughtUp, { timeoutMs: 20_000 })
  assert.deepEqual(log.complaints, [])
  stop.abort()
  await leading
  assert.equal(epochs.length, 1, 'the restart was shorter than the term')
  await informer.stop()
  await far.close()
  await second.stop()
  await rm(folder, { recursive: true })
})

test('a write whose answer is lost says so, and one that was refused says that', async () => {
  server.faults.add({ verbs: ['create'], count: 1, effect: { kind: 'cut', applied: true } })
  const lost = await client.create(resources.configMaps, configMap('a')).catch((error: unknown) => error)
  assert.ok(lost instanceof KubeError && lost.isOutcomeUnknown())
  assert.ok(await client.get(resources.configMaps, ref('a')), 'it happened')
  server.faults.add({ verbs: ['create'], count: 1, effect: { kind: 'status', code: 429, retryAfterSeconds: 1 } })
  const refused = await client.create(resources.configMaps, configMap('b')).catch((error: unknown) => error)
  assert.ok(refused instanceof KubeError && !refused.isOutcomeUnknown() && refused.retryAfterMs === 1000)
})

test('an answer that never comes ends with the time limit', async () => {
  server.faults.add({ verbs: ['patch'], count: 1, effect: { kind: 'silence', applied: true } })
  await client.create(resources.configMaps, configMap('a'))
  const patch = client.patch(resources.configMaps, ref('a'), { data: { k: '1' } }, { timeoutMs: 100 })
  await assert.rejects(patch, (error: unknown) => {
    return error instanceof KubeError && error.reason === 'Timeout' && error.isOutcomeUnknown()
  })
  assert.deepEqual((await client.get<ConfigMap>(resources.configMaps, ref('a')))?.data, { k: '1' })
})
