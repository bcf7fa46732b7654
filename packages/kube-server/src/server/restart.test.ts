import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Api } from '../../test/api.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'
import { KubeServer } from './kube-server.ts'

test('after a restart everything is there: objects, definitions, versions, authority and tokens', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kube-server-restart-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const start = async () => {
    const server = await KubeServer.start({ listen: false, auth: {}, storage: { folder } })
    t.after(() => server.stop())
    return server
  }
  const first = await start()
  const before = new Api(first.transport())
  await serve(before)
  const created = await before.create(widgetsPath, widget('w', { size: 3 }))
  const accounts = '/api/v1/namespaces/default/serviceaccounts/default'
  const { body } = await before.send('POST', `${accounts}/token`, { spec: {} })
  const kubeconfig = first.kubeconfig()
  const page = await before.get('/api/v1/namespaces', { limit: '1' })
  await first.stop()
  await assert.rejects(before.get(widgetsPath))

  const second = await start()
  const after = new Api(second.transport())
  assert.equal(second.caPem, first.caPem)
  assert.equal(second.kubeconfig(), kubeconfig)
  // Served from the first request on: no waiting for a controller.
  assert.deepEqual((await after.get(`${widgetsPath}/w`)).body, created)
  const patched = await after.merge(`${widgetsPath}/w`, { spec: { size: 4 } })
  assert.ok(Number(patched.body.metadata.resourceVersion) > Number(created.metadata.resourceVersion))
  const asAccount = await after.get(widgetsPath, {}, { authorization: `Bearer ${body.status['token']}` })
  assert.equal(asAccount.status, 403)
  const old = String(Number(created.metadata.resourceVersion) - 1)
  const watch = await after.watch(widgetsPath, { resourceVersion: old })
  assert.equal((await watch.take(1))[0]?.object.code, 410)
  assert.equal((await after.get('/api/v1/namespaces', { continue: page.body.metadata.continue ?? '' })).status, 410)
})

test('a folder belongs to one server at a time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kube-server-owner-'))
  try {
    const first = await KubeServer.start({ listen: false, storage: { folder } })
    await assert.rejects(KubeServer.start({ listen: false, storage: { folder } }))
    await first.stop()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('several servers live in one process and know nothing of each other', async () => {
  const servers = await Promise.all([1, 2, 3].map(() => KubeServer.start()))
  const apis = servers.map(server => new Api(server.transport()))
  await apis[0]?.create('/api/v1/namespaces', { metadata: { name: 'only-here' } })
  const found = await Promise.all(apis.map(async api => (await api.get('/api/v1/namespaces/only-here')).status))
  assert.deepEqual(found, [200, 404, 404])
  assert.equal(new Set(servers.map(server => server.url)).size, 3)
  await Promise.all(servers.map(server => server.stop()))
})

test('a server that has stopped says so', async () => {
  const server = await KubeServer.start({ listen: false })
  await server.stop()
  const answer = await server.handle({
    method: 'POST',
    url: '/api/v1/namespaces',
    headers: {},
    body: Buffer.from('{"metadata":{"name":"late"}}'),
  })
  assert.ok(answer.kind === 'whole' && answer.status === 503 && answer.body.includes('shutting down'))
})
