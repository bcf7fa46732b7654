import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api } from '../../test/api.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'
import { KubeServer } from './kube-server.ts'

test('servers that begin with the image of another one have what it had, and then go their own ways', async t => {
  const start = async (options: object = {}) => {
    const server = await KubeServer.start({ listen: false, auth: {}, ...options })
    t.after(() => server.stop())
    return server
  }
  const first = await start()
  const before = new Api(first.transport())
  await serve(before)
  const created = await before.create(widgetsPath, widget('w', { size: 3 }))
  const { body: account } = await before.send('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
    spec: {},
  })
  const image = first.image()
  await before.merge(`${widgetsPath}/w`, { spec: { size: 9 } })

  const [second, third] = [await start({ image }), await start({ image })]
  const [one, other] = [new Api(second.transport()), new Api(third.transport())]
  assert.equal(second.caPem, first.caPem)
  assert.deepEqual((await one.get(`${widgetsPath}/w`)).body, created)
  assert.equal((await one.get(widgetsPath, {}, { authorization: `Bearer ${account.status['token']}` })).status, 403)
  const { body } = await one.merge(`${widgetsPath}/w`, { spec: { size: 4 } })
  assert.ok(Number(body.metadata.resourceVersion) > Number(created.metadata.resourceVersion))
  assert.deepEqual((await other.get(`${widgetsPath}/w`)).body, created, 'the other one has not heard of it')
  const refused = await other.merge(`${widgetsPath}/w`, { spec: { size: 'many' } })
  assert.equal(refused.status, 422)
})

test('only a server in memory can begin with an image', async () => {
  const first = await KubeServer.start({ listen: false })
  const image = first.image()
  await first.stop()
  await assert.rejects(KubeServer.start({ listen: false, image, storage: { folder: '/nowhere' } }), /cannot begin/)
})

test('a look at what is stored shows the newest states, and what nobody has made is nothing', async () => {
  const server = await KubeServer.start({ listen: false })
  const names = (collection: string, namespace?: string) =>
    [...server.peek(collection, namespace)].map(({ metadata }) => metadata.name)
  assert.deepEqual(names('namespaces'), ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
  assert.deepEqual(names('configmaps', 'default'), ['kube-root-ca.crt'])
  assert.deepEqual(names('widgets.example.com'), [])
  await server.stop()
})
