import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeServer } from './kube-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

test('a server that tracks no fields has none, takes none from clients, and says so to who wants to apply', async t => {
  const server = await KubeServer.start({ listen: false, tracksFields: false })
  t.after(() => server.stop())
  const transport = server.transport()
  const send = async (method: string, path: string, body: object, contentType = 'application/json') => {
    const headers = { 'content-type': contentType }
    const answer = await transport.request({ method, path, headers, body: JSON.stringify(body) })
    return { status: answer.status, object: JSON.parse(await answer.text()) }
  }
  const managedFields = [{ manager: 'm', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }]
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', managedFields }, data: { a: '1' } }
  const created = await send('POST', MAPS, map)
  assert.deepEqual([created.status, created.object.metadata.managedFields], [201, undefined])
  const merge = 'application/merge-patch+json'
  const patched = await send('PATCH', `${MAPS}/m`, { metadata: { managedFields }, data: { b: '2' } }, merge)
  assert.deepEqual([patched.status, patched.object.data], [200, { a: '1', b: '2' }])
  assert.equal(patched.object.metadata.managedFields, undefined)
  const same = await send('PATCH', `${MAPS}/m`, { metadata: { managedFields } }, merge)
  assert.equal(same.object.metadata.resourceVersion, patched.object.metadata.resourceVersion)
  const applied = await send('PATCH', `${MAPS}/m?fieldManager=x`, map, 'application/apply-patch+yaml')
  assert.deepEqual([applied.status, applied.object.reason], [501, 'NotImplemented'])
  assert.match(applied.object.message, /does not track managed fields.*tracksFields/)
})
