import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { Api } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'
import { KubeServer } from '../index.ts'

const at = inProcess({}, api => serve(api))
const configMaps = '/api/v1/namespaces/default/configmaps'
const secrets = '/api/v1/namespaces/default/secrets'
const namespaces = '/api/v1/namespaces'

const ownedBy = (name: string, uid: string, more: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  uid,
  ...more,
})
const isGone = ({ status }: { status: number }) => status === 404
const owner = async (name: string) => (await at.api.create(configMaps, { metadata: { name } })).metadata.uid
const dependent = (name: string, ...ownerReferences: unknown[]) =>
  at.api.create(secrets, { metadata: { name, ownerReferences } })

test('dependents follow their owner', async () => {
  await dependent('bg-dep', ownedBy('bg', await owner('bg')))
  await at.api.delete(`${configMaps}/bg`)
  await at.api.until(`${secrets}/bg-dep`, isGone)
})

test('a chain of owners goes as a whole', async () => {
  const uid = await owner('chain')
  const middle = await dependent('chain-1', ownedBy('chain', uid))
  await dependent('chain-2', { ...ownedBy('chain-1', middle.metadata.uid), kind: 'Secret' })
  await at.api.delete(`${configMaps}/chain`)
  await at.api.until(`${secrets}/chain-2`, isGone)
})

test('an object whose owner never existed, has another uid or lives elsewhere is deleted', async () => {
  await owner('real')
  await dependent('stranger', ownedBy('never', 'no-such-uid'))
  await dependent('mistaken', ownedBy('real', 'no-such-uid'))
  await at.api.create(namespaces, { metadata: { name: 'elsewhere' } })
  const far = await at.api.create('/api/v1/namespaces/elsewhere/configmaps', { metadata: { name: 'far' } })
  await dependent('remote', ownedBy('far', far.metadata.uid))
  for (const name of ['stranger', 'mistaken', 'remote']) await at.api.until(`${secrets}/${name}`, isGone)
})

test('an object with several owners loses the dead ones and stays while one lives', async () => {
  const [first, second] = [await owner('two-1'), await owner('two-2')]
  await dependent('two-dep', ownedBy('two-1', first), ownedBy('two-2', second))
  await at.api.delete(`${configMaps}/two-1`)
  const { body } = await at.api.until(`${secrets}/two-dep`, ({ text }) => !text.includes(first))
  assert.deepEqual(body.metadata['ownerReferences'], [ownedBy('two-2', second)])
  await at.api.delete(`${configMaps}/two-2`)
  await at.api.until(`${secrets}/two-dep`, isGone)
})

test('orphaning strips the references and keeps the dependents', async () => {
  await dependent('orphan-dep', ownedBy('parent', await owner('parent')))
  const answer = await at.api.delete(`${configMaps}/parent`, { propagationPolicy: 'Orphan' })
  assert.deepEqual(answer.body.metadata.finalizers, ['orphan'])
  await at.api.until(`${configMaps}/parent`, isGone)
  const { body } = await at.api.get(`${secrets}/orphan-dep`)
  assert.equal(body.metadata['ownerReferences'], undefined)
})

test('foreground deletion waits for blocking dependents', async () => {
  const uid = await owner('fg')
  const block = { blockOwnerDeletion: true }
  await at.api.create(secrets, {
    metadata: { name: 'fg-dep', finalizers: ['a.example.com/hold'], ownerReferences: [ownedBy('fg', uid, block)] },
  })
  await dependent('fg-free', ownedBy('fg', uid, block))
  await at.api.delete(`${configMaps}/fg`, { propagationPolicy: 'Foreground' })
  await at.api.until(`${secrets}/fg-free`, isGone)
  await at.api.until(`${secrets}/fg-dep`, ({ body }) => body.metadata['deletionTimestamp'] !== undefined)
  const waiting = await at.api.get(`${configMaps}/fg`)
  assert.deepEqual(waiting.body.metadata.finalizers, ['foregroundDeletion'])
  await at.api.merge(`${secrets}/fg-dep`, { metadata: { finalizers: null } })
  await at.api.until(`${configMaps}/fg`, isGone)
})

test('a cycle of owners does not block deletion', async () => {
  const [a, b, c] = [await owner('cycle-a'), await owner('cycle-b'), await owner('cycle-c')]
  const tie = (name: string, to: string, uid: string) =>
    at.api.merge(`${configMaps}/${name}`, {
      metadata: { ownerReferences: [ownedBy(to, uid, { blockOwnerDeletion: true })] },
    })
  await tie('cycle-a', 'cycle-c', c)
  await tie('cycle-b', 'cycle-a', a)
  await tie('cycle-c', 'cycle-b', b)
  await at.api.delete(`${configMaps}/cycle-a`, { propagationPolicy: 'Foreground' })
  for (const name of ['a', 'b', 'c']) await at.api.until(`${configMaps}/cycle-${name}`, isGone)
})

test('a namespaced owner of a cluster-scoped object is never judged, nor is an unknown kind', async () => {
  const uid = await owner('lonely')
  const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
  await at.api.create(roles, {
    metadata: { name: 'cluster-wide', ownerReferences: [ownedBy('lonely', uid)] },
    rules: [],
  })
  await dependent('puzzling', { apiVersion: 'none.example.com/v1', kind: 'Nothing', name: 'x', uid: 'x' })
  await at.api.delete(`${configMaps}/lonely`)
  await at.server.idle()
  assert.equal((await at.api.get(`${roles}/cluster-wide`)).status, 200)
  assert.equal((await at.api.get(`${secrets}/puzzling`)).status, 200)
})

test('custom resources own and are owned like everything else', async () => {
  const { metadata } = await at.api.create(widgetsPath, widget('w'))
  await dependent('of-widget', { apiVersion: 'test.example.com/v1', kind: 'Widget', name: 'w', uid: metadata.uid })
  await at.api.delete(`${widgetsPath}/w`)
  await at.api.until(`${secrets}/of-widget`, isGone)
})

test('a new namespace gets its label, its finalizer, a ServiceAccount and the root certificates', async () => {
  const created = await at.api.create(namespaces, { metadata: { name: 'furnished' }, status: { phase: 'Odd' } })
  assert.deepEqual(created.metadata.labels, { 'kubernetes.io/metadata.name': 'furnished' })
  assert.deepEqual([created.spec, created.status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }])
  await at.api.until(`${namespaces}/furnished/serviceaccounts/default`, ({ status }) => status === 200)
  const path = `${namespaces}/furnished/configmaps/kube-root-ca.crt`
  const { body } = await at.api.until(path, ({ status }) => status === 200)
  assert.match(String(body.data['ca.crt']), /BEGIN CERTIFICATE/)
  await at.api.delete(path)
  await at.api.until(path, ({ status }) => status === 200)
})

test('a terminating namespace refuses content, empties itself and goes', async () => {
  const path = `${namespaces}/doomed`
  await at.api.create(namespaces, { metadata: { name: 'doomed' } })
  await at.api.create(`${path}/secrets`, { metadata: { name: 'held', finalizers: ['a.example.com/hold'] } })
  await at.api.create('/apis/test.example.com/v1/namespaces/doomed/widgets', widget('w'))
  const deleted = await at.api.delete(path)
  assert.equal(deleted.status, 200)
  assert.equal(deleted.body.status['phase'], 'Terminating')
  const refused = await at.api.send('POST', `${path}/configmaps`, { metadata: { name: 'late' } })
  assert.equal(refused.status, 403)
  assert.equal(refused.body.details.causes[0]?.reason, 'NamespaceTerminating')
  const waiting = await at.api.until(path, ({ text }) => text.includes('SomeFinalizersRemain'))
  assert.match(waiting.text, /secrets\. has 1 resource instances/)
  assert.equal(
    (await at.api.merge(`${path}/secrets/held`, { metadata: { labels: { still: 'writable' } } })).status,
    200,
  )
  assert.deepEqual((await at.api.delete(path)).body.metadata.uid, deleted.body.metadata.uid)
  await at.api.merge(`${path}/secrets/held`, { metadata: { finalizers: null } })
  await at.api.until(path, isGone)
  assert.equal((await at.api.send('POST', `${path}/configmaps`, { metadata: { name: 'a' } })).status, 404)
})

test('a namespace with finalizers of its own waits for them', async () => {
  const path = `${namespaces}/own-finalizer`
  await at.api.create(namespaces, { metadata: { name: 'own-finalizer', finalizers: ['a.example.com/hold'] } })
  await at.api.delete(path)
  await at.api.until(path, ({ body }) => (body.spec['finalizers'] as string[] | undefined) === undefined)
  await at.api.merge(path, { metadata: { finalizers: null } })
  await at.api.until(path, isGone)
})

test('the finalizers in the spec of a namespace belong to its finalize endpoint', async () => {
  const path = `${namespaces}/finalized`
  await at.api.create(namespaces, { metadata: { name: 'finalized' } })
  const kept = await at.api.merge(path, { spec: { finalizers: [] } })
  assert.deepEqual(kept.body.spec['finalizers'], ['kubernetes'])
  const { body } = await at.api.get(path)
  const changed = await at.api.send('PUT', `${path}/finalize`, {
    ...body,
    spec: { finalizers: ['kubernetes', 'a.example.com/b'] },
  })
  assert.deepEqual(changed.body.spec['finalizers'], ['kubernetes', 'a.example.com/b'])
})

test('system namespaces cannot be deleted', async () => {
  for (const name of ['default', 'kube-system', 'kube-public']) {
    const answer = await at.api.delete(`${namespaces}/${name}`)
    assert.equal(answer.status, 403)
    assert.equal(answer.body.message, `namespaces "${name}" is forbidden: this namespace may not be deleted`)
  }
})

test('events are forgotten an hour after their last write', async () => {
  const clock = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock })
  const api = new Api(server.transport())
  const events = '/api/v1/namespaces/default/events'
  const event = (name: string) => ({
    metadata: { name },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
  })
  await api.create(events, event('old'))
  await api.create(events, event('renewed'))
  clock.advance(30 * 60_000)
  await api.merge(`${events}/renewed`, { count: 2 })
  clock.advance(30 * 60_000)
  await api.until(`${events}/old`, isGone)
  assert.equal((await api.get(`${events}/renewed`)).status, 200)
  clock.advance(30 * 60_000)
  await api.until(`${events}/renewed`, isGone)
  await server.stop()
})
