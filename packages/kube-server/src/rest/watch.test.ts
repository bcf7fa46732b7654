import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { allow } from '../../test/access.ts'
import { Api } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { definitionsPath, serve, widget, widgetsPath } from '../../test/widgets.ts'
import { KubeServer } from '../index.ts'

const secrets = '/api/v1/namespaces/default/secrets'
const at = inProcess({ historyEvents: 20 }, api => serve(api))
const version = async () => (await at.api.get(secrets)).body.metadata.resourceVersion

test('an object that starts to match is ADDED, one that stops is DELETED with its old content and the new version', async () => {
  const watch = await at.api.watch(secrets, { resourceVersion: await version(), labelSelector: 'on=yes' })
  await at.api.create(secrets, { metadata: { name: 'sel' } })
  const on = await at.api.merge(`${secrets}/sel`, { metadata: { labels: { on: 'yes' } } })
  await at.api.merge(`${secrets}/sel`, { metadata: { annotations: { n: '1' } } })
  const off = await at.api.merge(`${secrets}/sel`, { metadata: { labels: { on: 'no' }, annotations: { n: '2' } } })
  await at.api.merge(`${secrets}/sel`, { metadata: { annotations: { n: '3' } } })
  await at.api.delete(`${secrets}/sel`)
  await at.api.create(secrets, { metadata: { name: 'end', labels: { on: 'yes' } } })
  const seen = await watch.take(4)
  assert.deepEqual(
    seen.map(one => one.type),
    ['ADDED', 'MODIFIED', 'DELETED', 'ADDED'],
  )
  assert.equal(seen[0]?.object.metadata.resourceVersion, on.body.metadata.resourceVersion)
  assert.equal(seen[2]?.object.metadata.resourceVersion, off.body.metadata.resourceVersion)
  assert.deepEqual(seen[2]?.object.metadata.labels, { on: 'yes' })
  assert.deepEqual(seen[2]?.object.metadata.annotations, { n: '1' })
  assert.equal(seen[3]?.object.metadata.name, 'end')
  watch.stop()
})

test('a watch from a version that history no longer holds ends with an ERROR event of code 410', async () => {
  const old = await version()
  await at.api.create(secrets, { metadata: { name: 'busy' } })
  for (let i = 0; i < 30; i++) await at.api.merge(`${secrets}/busy`, { metadata: { annotations: { i: String(i) } } })
  const watch = await at.api.watch(secrets, { resourceVersion: old })
  const [event] = await watch.take(1)
  assert.equal(event?.type, 'ERROR')
  assert.deepEqual([event.object.code, event.object.reason], [410, 'Expired'])
  assert.match(event.object.message, /^too old resource version: \d+ \(\d+\)$/)
  assert.equal(await watch.ended(), 'ended')
})

test('a watch from the future is silent until then', async () => {
  const next = String(Number(await version()) + 1)
  const watch = await at.api.watch(secrets, { resourceVersion: next })
  await at.api.create(secrets, { metadata: { name: 'skipped' } })
  await at.api.create(secrets, { metadata: { name: 'shown' } })
  const [event] = await watch.take(1)
  assert.equal(event?.object.metadata.name, 'shown')
  watch.stop()
})

test('initial events end with an annotated bookmark, if bookmarks are wanted', async () => {
  const query = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
  const objects = (await at.api.get(secrets)).body.items.length
  const watch = await at.api.watch(secrets, { ...query, allowWatchBookmarks: 'true' })
  const seen = await watch.take(objects + 1)
  assert.ok(seen.slice(0, objects).every(one => one.type === 'ADDED'))
  const bookmark = seen.at(-1)
  assert.equal(bookmark?.type, 'BOOKMARK')
  assert.deepEqual(bookmark.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  assert.equal(bookmark.object.kind, 'Secret')
  const silent = await at.api.watch(secrets, query)
  await silent.take(objects)
  await at.api.create(secrets, { metadata: { name: 'after-initial' } })
  assert.equal((await silent.take(objects + 1)).at(-1)?.type, 'ADDED')
  watch.stop()
  silent.stop()
})

test('parameters that do not go together are 422, bad selectors 400, bad versions 500', async () => {
  const status = async (query: Record<string, string>) => (await at.api.get(secrets, { watch: '1', ...query })).status
  assert.equal(await status({ sendInitialEvents: 'true' }), 422)
  assert.equal(await status({ resourceVersionMatch: 'NotOlderThan' }), 422)
  assert.equal(await status({ sendInitialEvents: 'true', resourceVersionMatch: 'Exact' }), 422)
  assert.equal(await status({ labelSelector: 'a b c' }), 400)
  assert.equal(await status({ fieldSelector: 'spec.nope=1' }), 400)
  assert.equal(await status({ resourceVersion: 'x' }), 500)
})

test('bookmarks come each minute and before the end, and name a version to go on from', async () => {
  const clock = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock })
  const api = new Api(server.transport())
  const watch = await api.watch(secrets, { resourceVersion: '0', allowWatchBookmarks: 'true', timeoutSeconds: '90' })
  const { metadata } = await api.create('/api/v1/namespaces/kube-system/secrets', { metadata: { name: 'elsewhere' } })
  clock.advance(60_000)
  const [minute] = await watch.take(1)
  assert.equal(minute?.type, 'BOOKMARK')
  assert.equal(minute.object.metadata.resourceVersion, metadata.resourceVersion)
  clock.advance(30_000)
  assert.equal((await watch.take(2))[1]?.type, 'BOOKMARK')
  assert.equal(await watch.ended(), 'ended')
  await server.stop()
})

test('a watch ends within the hour, however long it was asked for, so that lost rights are lost', async () => {
  const clock = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock, auth: {} })
  const place = { api: new Api(server.transport()), server }
  const api = await allow(place, 'guest', [{ apiGroups: [''], resources: ['secrets'], verbs: ['watch'] }])
  const query = { timeoutSeconds: '999999' }
  const watch = await api.watch(secrets, query)
  await place.api.delete('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/of-guest')
  clock.advance(60 * 60_000)
  assert.equal(await watch.ended(), 'ended')
  assert.equal((await api.get(secrets, { watch: '1', ...query })).status, 403)
  await server.stop()
})

test('a watch without timeout ends by itself between half an hour and an hour', async () => {
  const clock = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock })
  const watch = await new Api(server.transport()).watch(secrets)
  clock.advance(30 * 60_000 - 1)
  assert.equal(watch.state, 'open')
  clock.advance(30 * 60_000 + 1)
  assert.equal(await watch.ended(), 'ended')
  await server.stop()
})

test('watches of a kind end when its definition changes or goes', async () => {
  await at.api.create(widgetsPath, widget('seen'))
  const watch = await at.api.watch(widgetsPath)
  await watch.take(1)
  await at.api.merge(`${definitionsPath}/widgets.test.example.com`, {
    spec: { names: { shortNames: ['wg'] } },
  })
  assert.equal(await watch.ended(), 'ended')
})

test('two watchers see the same events in the same order, and a name watches one object', async () => {
  const start = await version()
  const [left, right] = [
    await at.api.watch(secrets, { resourceVersion: start }),
    await at.api.watch('/api/v1/secrets', { resourceVersion: start }),
  ]
  const byPath = await at.api.watch(`${secrets}/order-3`, { resourceVersion: start })
  for (let i = 0; i < 5; i++) await at.api.create(secrets, { metadata: { name: `order-${i}` } })
  assert.deepEqual(await left.take(5), await right.take(5))
  assert.equal((await byPath.take(1))[0]?.object.metadata.name, 'order-3')
  for (const watch of [left, right, byPath]) watch.stop()
})

test('tables and metadata are served in watches too; columns come only once', async () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
  const start = await version()
  const tables = await at.api.watch(secrets, { resourceVersion: start }, { accept })
  const partial = await at.api.watch(
    secrets,
    { resourceVersion: start },
    { accept: accept.replace('Table', 'PartialObjectMetadata') },
  )
  for (const name of ['t1', 't2']) await at.api.create(secrets, { metadata: { name } })
  const [first, second] = await tables.take(2)
  assert.equal(first?.object.kind, 'Table')
  assert.ok((first.object['columnDefinitions'] as unknown[]).length > 0)
  assert.deepEqual(second?.object['columnDefinitions'], [])
  assert.equal((await partial.take(1))[0]?.object.kind, 'PartialObjectMetadata')
  tables.stop()
  partial.stop()
})
