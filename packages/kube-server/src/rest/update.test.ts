import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeFields } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'

const at = inProcess({}, api => serve(api))
const configMaps = '/api/v1/namespaces/default/configmaps'
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

test('a PUT without version overwrites a built-in object and is refused for a custom one', async () => {
  await at.api.create(configMaps, { metadata: { name: 'put' }, data: { a: '1' } })
  const put = await at.api.send('PUT', `${configMaps}/put`, { metadata: { name: 'put' }, data: { b: '2' } })
  assert.equal(put.status, 200)
  assert.deepEqual(put.body.data, { b: '2' })
  await at.api.create(widgetsPath, widget('put'))
  for (const resourceVersion of [undefined, '0']) {
    const custom = await at.api.send('PUT', `${widgetsPath}/put`, widget('put', {}, { metadata: { resourceVersion } }))
    assert.equal(custom.status, 422)
    assert.deepEqual(causeFields(custom), ['metadata.resourceVersion'])
    assert.match(custom.body.message, /must be specified for an update/)
  }
})

test('a PUT with another uid is a conflict, a patch of the uid is invalid twice', async () => {
  await at.api.create(configMaps, { metadata: { name: 'uid' } })
  const put = await at.api.send('PUT', `${configMaps}/uid`, { metadata: { name: 'uid', uid: 'other' } })
  assert.equal(put.status, 409)
  const patch = await at.api.merge(`${configMaps}/uid`, { metadata: { uid: 'other' } })
  assert.equal(patch.status, 422)
  assert.deepEqual(causeFields(patch), ['metadata.uid', 'metadata.uid'])
})

test('a PUT of a missing object is 404, but creates leases and RBAC objects', async () => {
  assert.equal((await at.api.send('PUT', `${configMaps}/none`, { metadata: { name: 'none' } })).status, 404)
  assert.equal((await at.api.send('PUT', `${widgetsPath}/none`, widget('none'))).status, 404)
  assert.equal(
    (await at.api.send('PUT', `${widgetsPath}/none`, widget('none', {}, { metadata: { resourceVersion: '1' } })))
      .status,
    404,
  )
  const lease = await at.api.send('PUT', `${leases}/new`, { metadata: { name: 'new' }, spec: { holderIdentity: 'me' } })
  assert.equal(lease.status, 201)
  const role = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/new'
  assert.equal((await at.api.send('PUT', role, { metadata: { name: 'new' }, rules: [] })).status, 201)
})

test('a version in a patch body is a precondition', async () => {
  const { metadata } = await at.api.create(configMaps, { metadata: { name: 'pre' } })
  const patch = (resourceVersion: string, step: string) =>
    at.api.merge(`${configMaps}/pre`, { metadata: { resourceVersion }, data: { step } })
  assert.equal((await patch(metadata.resourceVersion, '1')).status, 200)
  const stale = await patch(metadata.resourceVersion, '2')
  assert.equal(stale.status, 409)
  assert.equal(stale.body.reason, 'Conflict')
  assert.equal(stale.body.details.causes, undefined)
})

test('patches without a version never conflict with each other', async () => {
  await at.api.create(configMaps, { metadata: { name: 'many' }, data: {} })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => at.api.merge(`${configMaps}/many`, { data: { [`k${i}`]: 'v' } })),
  )
  assert.ok(answers.every(one => one.status === 200))
  assert.equal(Object.keys((await at.api.get(`${configMaps}/many`)).body.data).length, 50)
})

test("what is not the client's to change is silently kept", async () => {
  const { metadata } = await at.api.create(widgetsPath, widget('kept', { size: 1 }))
  const answer = await at.api.merge(`${widgetsPath}/kept`, {
    metadata: { creationTimestamp: '2001-01-01T00:00:00Z', deletionTimestamp: '2001-01-01T00:00:00Z', generation: 9 },
  })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body.metadata, metadata)
})

test('name and namespace cannot be changed', async () => {
  await at.api.create(configMaps, { metadata: { name: 'fixed' } })
  const renamed = await at.api.merge(`${configMaps}/fixed`, { metadata: { name: 'other' } })
  assert.equal(renamed.status, 400)
  assert.match(renamed.body.message, /does not match the name on the URL/)
  assert.equal((await at.api.merge(`${configMaps}/fixed`, { metadata: { namespace: 'other' } })).status, 400)
  assert.equal((await at.api.send('PUT', `${configMaps}/fixed`, { metadata: {} })).status, 400)
})

test('a write that changes nothing keeps the version, whoever makes it and however', async () => {
  const { metadata } = await at.api.create(widgetsPath, widget('noop', { size: 1, tags: ['b', 'a'] }))
  const { body } = await at.api.get(`${widgetsPath}/noop`)
  const answers = [
    await at.api.send('PUT', `${widgetsPath}/noop`, body, { query: { fieldManager: 'other' } }),
    await at.api.merge(`${widgetsPath}/noop`, { spec: { size: 1 } }, { fieldManager: 'third' }),
    await at.api.merge(`${widgetsPath}/noop/status`, { spec: { size: 9 } }),
    await at.api.send('PATCH', `${widgetsPath}/noop`, [{ op: 'replace', path: '/spec/size', value: 1 }], {
      type: 'application/json-patch+json',
    }),
  ]
  for (const { status, body } of answers) {
    assert.equal(status, 200)
    assert.equal(body.metadata.resourceVersion, metadata.resourceVersion)
  }
})

test('generation counts changes of the desired state only', async () => {
  const path = `${widgetsPath}/counted`
  await at.api.create(widgetsPath, widget('counted', { size: 1 }))
  const generation = async (answer: Promise<{ body: { metadata: { generation?: number } } }>) =>
    (await answer).body.metadata.generation
  assert.equal(await generation(at.api.merge(path, { metadata: { labels: { a: 'b' }, finalizers: ['a.b/c'] } })), 1)
  assert.equal(await generation(at.api.merge(path, { status: { phase: 'Done' } })), 1)
  assert.equal(await generation(at.api.merge(`${path}/status`, { status: { phase: 'Done' } })), 1)
  assert.equal(await generation(at.api.merge(path, { spec: { size: 2 } })), 2)
  assert.equal(await generation(at.api.merge(path, { spec: { size: 2 } })), 2)
})

test('the status endpoint of a custom resource changes nothing but status', async () => {
  const path = `${widgetsPath}/split`
  const { metadata } = await at.api.create(widgetsPath, widget('split', { size: 1 }))
  const body = {
    ...widget('split', { size: 5 }),
    metadata: { name: 'split', resourceVersion: metadata.resourceVersion, labels: { a: 'b' }, finalizers: ['a.b/c'] },
    status: { phase: 'Done' },
    extra: 1,
  }
  const put = await at.api.send('PUT', `${path}/status`, body)
  assert.equal(put.status, 200, put.text)
  assert.deepEqual(put.body.spec, { size: 1, color: 'Red' })
  assert.deepEqual([put.body.metadata.labels, put.body.metadata.finalizers], [undefined, undefined])
  assert.deepEqual(put.body.status, { phase: 'Done' })
  const main = await at.api.merge(path, { status: null })
  assert.deepEqual(main.body.status, { phase: 'Done' })
  assert.equal((await at.api.send('PUT', `${path}/status`, { ...body, metadata: { name: 'split' } })).status, 422)
})

test('POST and DELETE on status are not allowed, a missing subresource is not found', async () => {
  await at.api.create(widgetsPath, widget('sub'))
  assert.equal((await at.api.send('POST', `${widgetsPath}/sub/status`, widget('sub'))).status, 405)
  assert.equal((await at.api.delete(`${widgetsPath}/sub/status`)).status, 405)
  assert.equal((await at.api.get(`${widgetsPath}/sub/nope`)).status, 404)
  assert.equal((await at.api.get(`${widgetsPath}/sub/scale`)).status, 404)
  assert.equal((await at.api.get(`${configMaps}/kube-root-ca.crt/status`)).status, 404)
})

test('patch bodies of the wrong shape are 400, patches that cannot be applied 422, wrong types 415', async () => {
  const path = `${configMaps}/shapes`
  await at.api.create(configMaps, { metadata: { name: 'shapes' } })
  const send = (type: string, body: unknown) => at.api.send('PATCH', path, body, { type: `application/${type}` })
  const notAList = await send('json-patch+json', { op: 'add' })
  assert.equal(notAList.status, 400)
  assert.match(notAList.body.message, /^error decoding patch/)
  assert.equal((await send('merge-patch+json', [])).status, 400)
  assert.equal((await send('strategic-merge-patch+json', [])).status, 400)
  assert.equal((await send('json-patch+json', [{ op: 'test', path: '/data/x', value: 1 }])).status, 422)
  assert.equal((await send('json-patch+json', [{ op: 'add', path: '/data/x/y', value: 1 }])).status, 422)
  assert.equal((await send('json', { data: {} })).status, 415)
  const replaced = await send('json-patch+json', [
    { op: 'add', path: '/data', value: {} },
    { op: 'replace', path: '/data/new', value: 'x' },
  ])
  assert.deepEqual([replaced.status, replaced.body.data], [200, { new: 'x' }])
  assert.equal((await at.api.merge(`${configMaps}/missing`, {})).status, 404)
})

test('a patched custom resource is pruned, defaulted and validated again', async () => {
  const path = `${widgetsPath}/again`
  await at.api.create(widgetsPath, widget('again', { size: 1 }))
  const pruned = await at.api.merge(path, { spec: { nope: 1, color: null, parts: [{ name: 'a' }] } })
  assert.equal(pruned.status, 200)
  assert.deepEqual(pruned.body.spec, { size: 1, color: 'Red', parts: [{ name: 'a', qty: 1 }] })
  assert.match(String(pruned.headers['warning']), /unknown field .*spec\.nope/)
  assert.equal((await at.api.merge(path, { spec: { size: 0 } })).status, 422)
  assert.equal((await at.api.merge(path, { spec: { nope: 1 } }, { fieldValidation: 'Strict' })).status, 400)
})

test('managedFields can be reset', async () => {
  await at.api.create(configMaps, { metadata: { name: 'tracked' }, data: { a: '1' } })
  const answer = await at.api.merge(`${configMaps}/tracked`, { metadata: { managedFields: [{}] } })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.metadata['managedFields'], undefined)
})

test('lease times need six decimals, durations must be positive', async () => {
  const lease = (spec: unknown) => at.api.send('POST', leases, { metadata: { generateName: 'l-' }, spec })
  assert.equal((await lease({ renewTime: '2026-01-01T00:00:00.000Z' })).status, 400)
  assert.equal((await lease({ renewTime: '2026-01-01T00:00:00Z' })).status, 400)
  assert.equal((await lease({ renewTime: '2026-01-01T00:00:00.000000Z', leaseDurationSeconds: 15 })).status, 201)
  assert.deepEqual(causeFields(await lease({ leaseDurationSeconds: 0 })), ['spec.leaseDurationSeconds'])
})

test('apply creates, needs a manager, and refuses what it cannot track', async () => {
  const path = `${widgetsPath}/applied`
  const query = { fieldManager: 'm' }
  const created = await at.api.apply(path, widget('applied', { size: 1, tags: ['a'] }), query)
  assert.equal(created.status, 201, created.text)
  const removed = await at.api.apply(path, widget('applied', { size: 2 }), query)
  assert.equal(removed.status, 200)
  assert.deepEqual(removed.body.spec, { size: 2, color: 'Red' })
  assert.deepEqual(causeFields(await at.api.apply(path, widget('applied'), {})), ['fieldManager'])
  assert.equal((await at.api.apply(path, widget('other'), query)).status, 400)
  assert.equal(
    (await at.api.apply(path, widget('applied', {}, { metadata: { managedFields: [] } }), query)).status,
    400,
  )
  const unknown = await at.api.apply(path, widget('applied', { nope: 1 }), query)
  assert.deepEqual(
    [unknown.status, unknown.body.reason, unknown.body.message],
    [
      500,
      undefined,
      'failed to create typed patch object (/applied; test.example.com/v1, Kind=Widget): .spec.nope: field not declared in schema',
    ],
  )
  const several = await at.api.apply(
    `${configMaps}/applied`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace: 'default' }, nope: 1, none: {} },
    query,
  )
  assert.equal(
    several.body.message,
    'failed to create typed patch object (default/applied; /v1, Kind=ConfigMap): errors:\n  .nope: field not declared in schema\n  .none: field not declared in schema',
  )
  assert.equal((await at.api.apply(`${widgetsPath}/none/status`, widget('none'), query)).status, 404)
  const stale = await at.api.apply(path, widget('applied', { size: 3 }, { metadata: { resourceVersion: '1' } }), query)
  assert.equal(stale.status, 409)
  assert.deepEqual(causeFields(await at.api.merge(path, {}, { force: 'true' })), ['force'])
})

test('apply through the main endpoint neither writes nor owns status', async () => {
  const path = `${widgetsPath}/both`
  const answer = await at.api.apply(path, widget('both', { size: 1 }, { status: { phase: 'Done' } }), {
    fieldManager: 'm',
  })
  assert.equal(answer.status, 201)
  assert.equal(answer.body.status, undefined)
  assert.doesNotMatch(JSON.stringify(answer.body.metadata['managedFields']), /f:status/)
})
