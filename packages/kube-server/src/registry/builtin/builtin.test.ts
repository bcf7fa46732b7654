import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { causeFields } from '../../../test/api.ts'
import { inProcess } from '../../../test/fixture.ts'
import { createCertificateRequest } from '../../pki/index.ts'

const at = inProcess({ approver: request => (request.metadata.name.startsWith('auto') ? true : undefined) })
const secrets = '/api/v1/namespaces/default/secrets'
const configMaps = '/api/v1/namespaces/default/configmaps'
const oldEvents = '/api/v1/namespaces/default/events'
const newEvents = '/apis/events.k8s.io/v1/namespaces/default/events'
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const fields = async (path: string, body: unknown) => {
  const answer = await at.api.send('POST', path, body)
  assert.equal(answer.status, 422, answer.text)
  return causeFields(answer)
}

test('stringData becomes data and is never seen again', async () => {
  const created = await at.api.create(secrets, {
    metadata: { name: 's' },
    data: { a: 'YQ==', b: 'YQ==' },
    stringData: { b: 'bee' },
  })
  assert.deepEqual(
    [created.data, created['stringData'], created['type']],
    [{ a: 'YQ==', b: 'YmVl' }, undefined, 'Opaque'],
  )
  const patched = await at.api.merge(`${secrets}/s`, { stringData: { c: 'sea' } })
  assert.deepEqual(Object.keys(patched.body.data), ['a', 'b', 'c'])
  assert.deepEqual(causeFields(await at.api.merge(`${secrets}/s`, { type: 'other/type' })), ['type'])
})

test('secrets with a type need the keys of that type', async () => {
  const typed = (type: string, data: unknown, metadata = {}) => ({
    metadata: { name: 'typed', ...metadata },
    type,
    data,
  })
  assert.deepEqual(await fields(secrets, typed('kubernetes.io/tls', { 'tls.crt': '' })), ['data[tls.key]'])
  assert.deepEqual(await fields(secrets, typed('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': 'YQ==' })), [
    'data[.dockerconfigjson]',
  ])
  assert.deepEqual(await fields(secrets, typed('kubernetes.io/service-account-token', {})), [
    'metadata.annotations[kubernetes.io/service-account.name]',
  ])
  assert.equal(
    (await at.api.send('POST', secrets, typed('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': 'e30=' })))
      .status,
    201,
  )
})

test('bad base64 is 400, bad keys and too much data 422', async () => {
  assert.equal((await at.api.send('POST', secrets, { metadata: { name: 'x' }, data: { k: '***' } })).status, 400)
  assert.deepEqual(await fields(configMaps, { metadata: { name: 'x' }, data: { 'a b': '' } }), ['data[a b]'])
  assert.deepEqual(await fields(configMaps, { metadata: { name: 'x' }, data: { a: '' }, binaryData: { a: '' } }), [
    'binaryData[a]',
  ])
  const [cause] = (
    await at.api.send('POST', configMaps, { metadata: { name: 'x' }, data: { k: 'x'.repeat(1_100_000) } })
  ).body.details.causes
  assert.equal(cause?.reason, 'FieldValueTooLong')
})

test('immutable objects keep their data for ever, not their labels', async () => {
  for (const path of [secrets, configMaps]) {
    await at.api.create(path, { metadata: { name: 'frozen' }, immutable: true, data: { a: 'YQ==' } })
    assert.deepEqual(causeFields(await at.api.merge(`${path}/frozen`, { data: { a: 'Yg==' } })), ['data'])
    assert.deepEqual(causeFields(await at.api.merge(`${path}/frozen`, { immutable: false })), ['immutable'])
    assert.equal((await at.api.merge(`${path}/frozen`, { metadata: { labels: { a: 'b' } } })).status, 200)
  }
})

test('an event is one object with two faces', async () => {
  const created = await at.api.create(newEvents, {
    metadata: { name: 'e' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'test.example.com/c',
    reportingInstance: 'c-1',
    action: 'Act',
    reason: 'Why',
    type: 'Normal',
    note: 'hello',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default', uid: 'u' },
  })
  assert.equal(created.apiVersion, 'events.k8s.io/v1')
  const { body } = await at.api.get(`${oldEvents}/e`)
  assert.deepEqual(
    [body.apiVersion, body['message'], body['reportingComponent']],
    ['v1', 'hello', 'test.example.com/c'],
  )
  const query = { fieldSelector: 'involvedObject.name=p,involvedObject.kind=Pod,involvedObject.uid=u,reason=Why' }
  assert.equal((await at.api.get(oldEvents, query)).body.items.length, 1)
  assert.equal((await at.api.get(newEvents)).body.items[0]?.['note'], 'hello')
  const patched = await at.api.merge(`${newEvents}/e`, {
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' },
  })
  assert.equal(patched.status, 200, patched.text)
  const watch = await at.api.watch(newEvents)
  assert.equal((await watch.take(1))[0]?.object['note'], 'hello')
  watch.stop()
})

test('events belong to the namespace of their object, and the new API wants more of them', async () => {
  const about = (namespace?: string) => ({
    metadata: { name: 'x' },
    involvedObject: { kind: 'Node', name: 'n', ...(namespace && { namespace }) },
  })
  assert.deepEqual(await fields(oldEvents, about('other')), ['involvedObject.namespace'])
  assert.equal((await at.api.send('POST', oldEvents, about())).status, 201)
  assert.deepEqual(await fields('/api/v1/namespaces/kube-system/events', about()), ['involvedObject.namespace'])
  const missing = await fields(newEvents, {
    metadata: { name: 'y' },
    regarding: { namespace: 'default' },
    type: 'Normal',
  })
  assert.deepEqual(missing, ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason'])
})

function certificateRequest(name: string, more = {}) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = createCertificateRequest({ user: 'agent', groups: ['agents'], key: privateKey })
  const spec = {
    request: Buffer.from(pem).toString('base64'),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  }
  return { metadata: { name }, spec: { ...spec, username: 'liar', groups: ['liars'], ...more } }
}

test('a certificate request is stamped with its author and never changes', async () => {
  const created = await at.api.create(requests, certificateRequest('stamped'))
  assert.equal(created.spec['username'], 'admin')
  assert.deepEqual(created.spec['groups'], ['system:masters', 'system:authenticated'])
  const changed = await at.api.merge(`${requests}/stamped`, {
    spec: { signerName: 'example.com/other' },
    status: { certificate: 'YQ==' },
  })
  assert.equal(changed.status, 200)
  assert.deepEqual(changed.body.spec, created.spec)
  assert.equal(changed.body.status, undefined)
})

test('certificate requests that nobody could sign are refused', async () => {
  assert.deepEqual(await fields(requests, certificateRequest('x', { signerName: undefined })), ['spec.signerName'])
  assert.deepEqual(await fields(requests, certificateRequest('x', { usages: undefined })), ['spec.usages'])
  assert.deepEqual(await fields(requests, certificateRequest('x', { expirationSeconds: 60 })), [
    'spec.expirationSeconds',
  ])
  assert.deepEqual(await fields(requests, certificateRequest('x', { request: 'YQ==' })), ['spec.request'])
})

test('approval happens on its own endpoint, cannot be taken back, and leads to a certificate', async () => {
  await at.api.create(requests, certificateRequest('decided'))
  const path = `${requests}/decided`
  const approved = { type: 'Approved', status: 'True', reason: 'Test', message: 'yes' }
  const wrong = await at.api.merge(`${path}/status`, { status: { conditions: [approved] } })
  assert.equal(wrong.status, 422)
  assert.match(wrong.body.message, /updates may not add a condition of type "Approved"/)
  const right = await at.api.merge(`${path}/approval`, { status: { conditions: [approved] } })
  assert.equal(right.status, 200, right.text)
  const signed = await at.api.until(path, ({ body }) => body.status?.['certificate'] !== undefined)
  assert.match(Buffer.from(String(signed.body.status['certificate']), 'base64').toString(), /BEGIN CERTIFICATE/)
  const [condition] = signed.body.status['conditions'] as Record<string, string>[]
  assert.ok(condition?.['lastUpdateTime'] && condition['lastTransitionTime'])
  const denied = await at.api.merge(`${path}/approval`, {
    status: { conditions: [approved, { ...approved, type: 'Denied' }] },
  })
  assert.equal(denied.status, 422)
  assert.equal((await at.api.merge(`${path}/approval`, { status: { conditions: [] } })).status, 422)
})

test('the approver of the server decides what it wants to decide', async () => {
  await at.api.create(requests, certificateRequest('auto'))
  await at.api.create(requests, certificateRequest('manual'))
  await at.api.until(`${requests}/auto`, ({ body }) => body.status?.['certificate'] !== undefined)
  await at.server.idle()
  assert.equal((await at.api.get(`${requests}/manual`)).body.status, undefined)
})

test('bindings get their API groups filled in and keep their role', async () => {
  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings'
  const binding = {
    metadata: { name: 'b' },
    roleRef: { kind: 'Role', name: 'missing' },
    subjects: [{ kind: 'User', name: 'u' }],
  }
  const created = await at.api.create(path, binding)
  assert.deepEqual(created['roleRef'], { kind: 'Role', name: 'missing', apiGroup: 'rbac.authorization.k8s.io' })
  const moved = await at.api.merge(`${path}/b`, { roleRef: { name: 'other' } })
  assert.deepEqual(causeFields(moved), ['roleRef'])
})

test('workloads keep all fields Kubernetes knows, name those it does not, and count generations', async () => {
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const container = { name: 'c', image: 'i', resources: { limits: { cpu: 1 } }, typo: 1 }
  const body = {
    metadata: { name: 'd' },
    spec: { template: { metadata: { creationTimestamp: null }, spec: { containers: [container] } } },
  }
  const strict = await at.api.send('POST', path, body, { query: { fieldValidation: 'Strict' } })
  assert.equal(strict.status, 400)
  assert.match(
    strict.body.message,
    /strict decoding error: unknown field "spec\.template\.spec\.containers\[0\]\.typo"/,
  )
  const created = await at.api.create(path, body)
  assert.equal(created.spec['replicas'], 1)
  assert.match(JSON.stringify(created.spec), /"resources":\{"limits":\{"cpu":1\}\}\}/)
  const restarted = await at.api.send(
    'PATCH',
    `${path}/d`,
    { spec: { template: { spec: { containers: [{ name: 'c', image: 'new' }] } } } },
    { type: 'application/strategic-merge-patch+json' },
  )
  assert.equal(restarted.body.metadata.generation, 2)
  assert.match(JSON.stringify(restarted.body.spec), /"image":"new","resources"/)
  assert.equal((await at.api.merge(`${path}/d/scale`, { spec: { replicas: 3 } })).body.spec['replicas'], 3)
  const table = await at.api.get(path, {}, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
  assert.deepEqual(table.body.rows[0]?.cells.slice(0, 2), ['d', '0/3'])
})
