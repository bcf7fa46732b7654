import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeFields } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { definitionsPath, serve, widget, widgetsPath } from '../../test/widgets.ts'

const secrets = '/api/v1/namespaces/default/secrets'
const names = ['a', 'b', 'c', 'd', 'e']
const at = inProcess({ historyEvents: 50 }, async api => {
  await serve(api)
  for (const name of names)
    await api.create(secrets, { metadata: { name, labels: { parity: name < 'c' ? 'low' : 'high' } } })
  await api.create(widgetsPath, widget('w'))
})
const namesOf = (answer: { body: { items: { metadata: { name: string } }[] } }) =>
  answer.body.items.map(item => item.metadata.name)

test('items of built-in lists carry no kind, those of custom ones do', async () => {
  const builtin = await at.api.get(secrets)
  assert.deepEqual([builtin.body.kind, builtin.body.apiVersion], ['SecretList', 'v1'])
  assert.deepEqual(Object.keys(builtin.body.items[0] ?? {}).slice(0, 1), ['metadata'])
  const custom = await at.api.get(widgetsPath)
  assert.equal(custom.body.items[0]?.kind, 'Widget')
  assert.equal(custom.body.metadata.continue, '')
})

test('pages show one snapshot, whatever happens meanwhile', async () => {
  const first = await at.api.get(secrets, { limit: '2' })
  assert.deepEqual(namesOf(first), ['a', 'b'])
  assert.equal(first.body.metadata['remainingItemCount'], 3)
  await at.api.create(secrets, { metadata: { name: 'bb' } })
  await at.api.delete(`${secrets}/d`)
  const next = first.body.metadata.continue ?? ''
  const second = await at.api.get(secrets, { limit: '2', continue: next })
  assert.deepEqual(namesOf(second), ['c', 'd'])
  assert.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion)
  const third = await at.api.get(secrets, { limit: '2', continue: second.body.metadata.continue ?? '' })
  assert.deepEqual(namesOf(third), ['e'])
  assert.equal(third.body.metadata.continue, undefined)
  await at.api.delete(`${secrets}/bb`)
  await at.api.create(secrets, { metadata: { name: 'd', labels: { parity: 'high' } } })
})

test('a page of selected items is filled, and tells no remaining count', async () => {
  const page = await at.api.get(secrets, { limit: '2', labelSelector: 'parity=high' })
  assert.deepEqual(namesOf(page), ['c', 'd'])
  assert.equal(page.body.metadata['remainingItemCount'], undefined)
  assert.deepEqual(
    namesOf(await at.api.get(secrets, { labelSelector: 'parity=high', continue: page.body.metadata.continue ?? '' })),
    ['e'],
  )
})

test('continue tokens that are wrong, foreign or mixed with a version are 400', async () => {
  const { body } = await at.api.get(secrets, { limit: '1' })
  const token = body.metadata.continue ?? ''
  assert.equal((await at.api.get(secrets, { continue: 'nonsense' })).status, 400)
  assert.equal((await at.api.get('/api/v1/secrets', { continue: token })).status, 400)
  assert.equal((await at.api.get(secrets, { continue: token, resourceVersion: '5' })).status, 400)
  assert.equal((await at.api.get(secrets, { limit: 'abc' })).status, 400)
})

test('a page whose snapshot is gone is 410 and offers to go on without it', async () => {
  const { body } = await at.api.get(secrets, { limit: '2' })
  for (let i = 0; i < 60; i++) await at.api.merge(`${secrets}/a`, { metadata: { annotations: { i: String(i) } } })
  const gone = await at.api.get(secrets, { limit: '2', continue: body.metadata.continue ?? '' })
  assert.equal(gone.status, 410)
  assert.equal(gone.body.reason, 'Expired')
  const rest = await at.api.get(secrets, { limit: '9', continue: gone.body.metadata.continue ?? '' })
  assert.deepEqual(namesOf(rest), ['c', 'd', 'e'])
})

test('version 0 ignores the limit, a version alone means not older', async () => {
  assert.equal(namesOf(await at.api.get(secrets, { limit: '1', resourceVersion: '0' })).length, 5)
  const { body } = await at.api.get(secrets)
  const again = await at.api.get(secrets, { resourceVersion: body.metadata.resourceVersion })
  assert.equal(again.status, 200)
  assert.equal((await at.api.get(secrets, { resourceVersion: 'x' })).status, 500)
})

test('an exact version shows the past, or is gone', async () => {
  const before = await at.api.get(secrets)
  const { resourceVersion } = before.body.metadata
  await at.api.create(secrets, { metadata: { name: 'later' } })
  const exact = await at.api.get(secrets, { resourceVersion, resourceVersionMatch: 'Exact' })
  assert.deepEqual(namesOf(exact), namesOf(before))
  assert.equal(exact.body.metadata.resourceVersion, resourceVersion)
  const old = await at.api.get(secrets, { resourceVersion: '1', resourceVersionMatch: 'Exact' })
  assert.equal(old.status, 410)
  await at.api.delete(`${secrets}/later`)
})

test('combinations of version parameters that make no sense are 422', async () => {
  const bad: [Record<string, string>, string][] = [
    [{ resourceVersionMatch: 'Exact' }, 'resourceVersionMatch'],
    [{ resourceVersionMatch: 'Exact', resourceVersion: '0' }, 'resourceVersionMatch'],
    [{ resourceVersionMatch: 'Nearly', resourceVersion: '5' }, 'resourceVersionMatch'],
    [{ sendInitialEvents: 'true' }, 'sendInitialEvents'],
  ]
  for (const [query, field] of bad) {
    const answer = await at.api.get(secrets, query)
    assert.equal(answer.status, 422, JSON.stringify(query))
    assert.deepEqual(causeFields(answer), [field])
  }
})

test('a version from the future is waited for, then 504', async () => {
  const { body } = await at.api.get(secrets)
  const next = String(Number(body.metadata.resourceVersion) + 1)
  const waiting = at.api.get(secrets, { resourceVersion: next })
  await at.api.create(secrets, { metadata: { name: 'awaited' } })
  assert.ok(namesOf(await waiting).includes('awaited'))
  const never = await at.api.get(`${secrets}/a`, { resourceVersion: '999999999' })
  assert.equal(never.status, 504)
  assert.equal(never.body.reason, 'Timeout')
  assert.equal(never.body.details.causes[0]?.reason, 'ResourceVersionTooLarge')
  assert.equal(never.body.details['retryAfterSeconds'], 1)
  assert.equal(never.headers['retry-after'], '1')
})

test('lists over all namespaces come in order of namespace, then name', async () => {
  await at.api.create('/api/v1/namespaces', { metadata: { name: 'aaa' } })
  await at.api.create('/api/v1/namespaces/aaa/secrets', { metadata: { name: 'z' } })
  const { body } = await at.api.get('/api/v1/secrets')
  assert.deepEqual([body.items[0]?.metadata.namespace, body.items[0]?.metadata.name], ['aaa', 'z'])
})

test('metadata alone and tables are served on demand, reviews are not tables', async () => {
  const as = (kind: string) => ({ accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` })
  const partial = await at.api.get(`${secrets}/a`, {}, as('PartialObjectMetadata'))
  assert.deepEqual(Object.keys(partial.body).sort(), ['apiVersion', 'kind', 'metadata'])
  assert.equal(partial.body.kind, 'PartialObjectMetadata')
  const list = await at.api.get(secrets, {}, as('PartialObjectMetadataList'))
  assert.equal(list.body.kind, 'PartialObjectMetadataList')
  assert.equal(list.body.items[0]?.kind, 'PartialObjectMetadata')
  const table = await at.api.get(secrets, { includeObject: 'Object' }, as('Table'))
  assert.equal(table.body.kind, 'Table')
  assert.equal(table.body.rows[0]?.object.kind, 'Secret')
  assert.equal((await at.api.get(secrets, { includeObject: 'None' }, as('Table'))).body.rows[0]?.object, null)
  assert.equal((await at.api.get(secrets, { includeObject: 'All' }, as('Table'))).status, 400)
  const review = await at.api.send(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    { spec: {} },
    { headers: as('Table') },
  )
  assert.equal(review.status, 406)
  assert.equal((await at.api.get(secrets, {}, { accept: 'text/html' })).status, 406)
  const yaml = await at.api.get(`${secrets}/a`, {}, { accept: 'application/yaml' })
  assert.match(yaml.text, /^kind: Secret$/m)
})

test('what an earlier definition of the same name had is not shown to readers of the next one', async () => {
  const options = { group: 'again.example.com', plural: 'things', kind: 'Thing' }
  const definition = `${definitionsPath}/things.again.example.com`
  const path = '/apis/again.example.com/v1/namespaces/default/things'
  await serve(at.api, options)
  for (const name of ['a', 'b'])
    await at.api.create(path, { apiVersion: 'again.example.com/v1', kind: 'Thing', metadata: { name } })
  const { metadata } = (await at.api.get(path, { limit: '1' })).body
  await at.api.delete(definition)
  await at.api.until(definition, ({ status }) => status === 404)
  await serve(at.api, options)
  const queries: Record<string, string>[] = [
    { continue: metadata.continue ?? '' },
    { resourceVersion: metadata.resourceVersion, resourceVersionMatch: 'Exact' },
  ]
  for (const query of queries) {
    const answer = await at.api.get(path, query)
    assert.deepEqual([answer.status, answer.body.reason, answer.body.items], [410, 'Expired', undefined])
  }
})
