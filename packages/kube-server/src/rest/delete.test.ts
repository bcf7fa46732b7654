import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inProcess } from '../../test/fixture.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'

const at = inProcess({}, api => serve(api))
const configMaps = '/api/v1/namespaces/default/configmaps'
const held = (name: string) => ({ metadata: { name, finalizers: ['test.example.com/hold'] } })

test('an object without finalizers goes at once, and a Status says so without a code', async () => {
  const { metadata } = await at.api.create(configMaps, { metadata: { name: 'plain' } })
  const answer = await at.api.delete(`${configMaps}/plain`)
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'plain', kind: 'configmaps', uid: metadata.uid },
  })
  assert.equal((await at.api.delete(`${configMaps}/plain`)).status, 404)
})

test('an object with finalizers is marked, a second delete changes nothing', async () => {
  await at.api.create(widgetsPath, widget('marked', {}, held('marked')))
  const first = await at.api.delete(`${widgetsPath}/marked`)
  assert.equal(first.status, 200)
  assert.equal(first.body.kind, 'Widget')
  assert.ok(first.body.metadata['deletionTimestamp'])
  assert.equal(first.body.metadata['deletionGracePeriodSeconds'], 0)
  assert.equal(first.body.metadata.generation, 2)
  const second = await at.api.delete(`${widgetsPath}/marked`)
  assert.deepEqual(second.body, first.body)
})

test('while terminating, finalizers may only shrink and the name stays taken', async () => {
  await at.api.create(configMaps, held('shrinking'))
  await at.api.delete(`${configMaps}/shrinking`)
  const path = `${configMaps}/shrinking`
  const grown = await at.api.merge(path, { metadata: { finalizers: ['test.example.com/hold', 'a.b/c'] } })
  assert.equal(grown.status, 422)
  assert.match(grown.body.message, /no new finalizers can be added if the object is being deleted/)
  assert.equal((await at.api.merge(path, { data: { still: 'writable' } })).status, 200)
  const alive = await at.api.merge(path, { metadata: { deletionTimestamp: null } })
  assert.ok(alive.body.metadata['deletionTimestamp'])
  const again = await at.api.send('POST', configMaps, held('shrinking'))
  assert.equal(again.status, 409)
  assert.match(again.body.message, /^object is being deleted: configmaps "shrinking" already exists/)
})

test('removing the last finalizer returns the final object with its old version, then it is gone', async () => {
  await at.api.create(configMaps, held('last'))
  const { body } = await at.api.delete(`${configMaps}/last`)
  const watch = await at.api.watch(configMaps, { resourceVersion: body.metadata.resourceVersion })
  const final = await at.api.merge(`${configMaps}/last`, { metadata: { finalizers: null } })
  assert.equal(final.status, 200)
  assert.equal(final.body.metadata.resourceVersion, body.metadata.resourceVersion)
  assert.equal((await at.api.get(`${configMaps}/last`)).status, 404)
  const [event] = await watch.take(1)
  assert.equal(event?.type, 'DELETED')
  assert.ok(Number(event.object.metadata.resourceVersion) > Number(body.metadata.resourceVersion))
  watch.stop()
})

test('preconditions on uid and version are conflicts', async () => {
  const { metadata } = await at.api.create(configMaps, { metadata: { name: 'pre' } })
  const remove = (preconditions: unknown) =>
    at.api.delete(`${configMaps}/pre`, { kind: 'DeleteOptions', apiVersion: 'v1', preconditions })
  const uid = await remove({ uid: 'other' })
  assert.equal(uid.status, 409)
  assert.match(uid.body.message, /the UID in the precondition \(other\) does not match the UID in record/)
  assert.equal((await remove({ resourceVersion: '1' })).status, 409)
  assert.equal((await remove({ uid: metadata.uid, resourceVersion: metadata.resourceVersion })).status, 200)
})

test('options come from the body or from the query, and bad ones are refused', async () => {
  await at.api.create(configMaps, { metadata: { name: 'options' } })
  const path = `${configMaps}/options`
  assert.equal((await at.api.delete(path, { propagationPolicy: 'Sideways' })).status, 422)
  assert.equal((await at.api.delete(path, undefined, { propagationPolicy: 'Sideways' })).status, 422)
  assert.equal((await at.api.delete(path, { propagationPolicy: 'Orphan', orphanDependents: true })).status, 422)
  assert.equal((await at.api.delete(path, { dryRun: ['Some'] })).status, 422)
  assert.equal((await at.api.send('DELETE', path, undefined, { raw: '{' })).status, 500)
  const dry = await at.api.delete(path, { dryRun: ['All'] })
  assert.deepEqual([dry.status, dry.body.status], [200, 'Success'])
  assert.equal((await at.api.get(path)).status, 200)
  const foreground = await at.api.delete(path, undefined, { propagationPolicy: 'Foreground' })
  assert.deepEqual(foreground.body.metadata.finalizers, ['foregroundDeletion'])
})

test('a body without content type is fine, as the Node client sends it', async () => {
  await at.api.create(configMaps, { metadata: { name: 'bare' } })
  const answer = await at.api.send(
    'DELETE',
    `${configMaps}/bare`,
    { propagationPolicy: 'Background' },
    { headers: { 'content-type': '' } },
  )
  assert.equal(answer.status, 200)
})

test('a collection is deleted as far as the selectors reach, and the list of it returned', async () => {
  const secrets = '/api/v1/namespaces/default/secrets'
  await at.api.create(secrets, { metadata: { name: 'a', labels: { go: 'yes' } } })
  await at.api.create(secrets, {
    metadata: { name: 'b', labels: { go: 'yes' }, finalizers: ['test.example.com/hold'] },
  })
  await at.api.create(secrets, { metadata: { name: 'c' } })
  const answer = await at.api.delete(secrets, undefined, { labelSelector: 'go=yes' })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.kind, 'SecretList')
  assert.deepEqual(
    answer.body.items.map(item => item.metadata.name),
    ['a', 'b'],
  )
  const left = await at.api.get(secrets)
  assert.deepEqual(
    left.body.items.map(item => item.metadata.name),
    ['b', 'c'],
  )
})

test('namespaces cannot be deleted as a collection, nor objects across all namespaces', async () => {
  assert.equal((await at.api.delete('/api/v1/namespaces')).status, 405)
  assert.equal((await at.api.delete('/api/v1/configmaps')).status, 405)
})

const pods = '/api/v1/namespaces/default/pods'
const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'agent', image: 'placeholder' }], ...spec },
})

test('a pod that a node has taken up stays until its kubelet deletes it without grace', async () => {
  await at.api.send('POST', pods, pod('bound', { nodeName: 'a', terminationGracePeriodSeconds: 7 }))
  const first = await at.api.delete(`${pods}/bound`)
  assert.equal(first.body.kind, 'Pod')
  assert.equal(first.body.metadata['deletionGracePeriodSeconds'], 7)
  const again = await at.api.send('POST', pods, pod('bound'))
  assert.equal(again.status, 409, 'its name stays taken')
  assert.deepEqual((await at.api.delete(`${pods}/bound`)).body, first.body, 'a second one grants no more')
  const hurried = await at.api.delete(`${pods}/bound`, { gracePeriodSeconds: 2 })
  assert.equal(hurried.body.metadata['deletionGracePeriodSeconds'], 2)
  const sooner = (body: typeof first.body) => Date.parse(String(body.metadata['deletionTimestamp']))
  assert.equal(sooner(first.body) - sooner(hurried.body), 5_000)
  assert.equal((await at.api.delete(`${pods}/bound`, undefined, { gracePeriodSeconds: '0' })).body.status, 'Success')
  assert.equal((await at.api.get(`${pods}/bound`)).status, 404)
})

test('a pod that no node has taken up, or that has ended, goes at once', async () => {
  await at.api.send('POST', pods, pod('unbound'))
  assert.equal((await at.api.delete(`${pods}/unbound`)).body.status, 'Success')
  await at.api.send('POST', pods, pod('ended', { nodeName: 'a' }))
  await at.api.merge(`${pods}/ended/status`, { status: { phase: 'Failed' } })
  assert.equal((await at.api.delete(`${pods}/ended`)).body.status, 'Success')
  await at.api.send('POST', pods, pod('held', { nodeName: 'a' }))
  await at.api.merge(`${pods}/held`, { metadata: { finalizers: ['test.example.com/hold'] } })
  await at.api.delete(`${pods}/held`, { gracePeriodSeconds: 0 })
  assert.equal((await at.api.get(`${pods}/held`)).status, 200, 'a finalizer holds what grace does not')
  await at.api.merge(`${pods}/held`, { metadata: { finalizers: null } })
  assert.equal((await at.api.get(`${pods}/held`)).status, 404)
})
