import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeFields } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'

const at = inProcess({}, api => serve(api))
const configMaps = '/api/v1/namespaces/default/configmaps'

test('what only the server may set is replaced or dropped', async () => {
  const sent = {
    name: 'system-fields',
    uid: 'mine',
    generation: 42,
    creationTimestamp: '2001-01-01T00:00:00Z',
    deletionTimestamp: '2001-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 5,
    selfLink: '/x',
  }
  const { metadata } = await at.api.create(configMaps, { metadata: sent })
  assert.match(metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.notEqual(metadata['creationTimestamp'], sent.creationTimestamp)
  for (const field of ['generation', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'])
    assert.ok(!(field in metadata), field)
})

test('a resourceVersion on create is refused with 500', async () => {
  const answer = await at.api.send('POST', configMaps, { metadata: { name: 'versioned', resourceVersion: '5' } })
  assert.equal(answer.status, 500)
  assert.match(answer.body.message, /resourceVersion should not be set on objects to be created/)
})

test('kind and apiVersion are filled in for built-in kinds and demanded for custom ones', async () => {
  const body = await at.api.create(configMaps, { metadata: { name: 'typeless' } })
  assert.deepEqual([body.kind, body.apiVersion], ['ConfigMap', 'v1'])
  const custom = await at.api.send('POST', widgetsPath, { metadata: { name: 'typeless' } })
  assert.equal(custom.status, 400)
})

test('a wrong kind is 400 for built-in kinds and 422 for custom ones', async () => {
  const builtin = await at.api.send('POST', configMaps, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })
  assert.equal(builtin.status, 400)
  const custom = await at.api.send('POST', widgetsPath, { ...widget('a'), kind: 'Gadget' })
  assert.equal(custom.status, 422)
  assert.deepEqual(causeFields(custom), ['kind'])
})

test('the namespace of the body must be that of the URL', async () => {
  const answer = await at.api.send('POST', configMaps, { metadata: { name: 'a', namespace: 'other' } })
  assert.equal(answer.status, 400)
  assert.match(answer.body.message, /namespace of the provided object does not match the namespace sent/)
})

test('a generated name is the prefix, cut to 58, and five letters', async () => {
  const { metadata } = await at.api.create(configMaps, { metadata: { generateName: `${'p'.repeat(70)}-` } })
  assert.match(metadata.name, /^p{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/)
})

test('an object needs a name or a prefix', async () => {
  const answer = await at.api.send('POST', configMaps, { metadata: {} })
  assert.equal(answer.status, 422)
  assert.deepEqual(answer.body.details.causes, [
    {
      reason: 'FieldValueRequired',
      message: 'Required value: name or generateName is required',
      field: 'metadata.name',
    },
  ])
})

test('names, labels, annotations, owners and finalizers are validated', async () => {
  const bad: [Record<string, unknown>, string][] = [
    [{ name: 'Bad_Name' }, 'metadata.name'],
    [{ name: 'x'.repeat(254) }, 'metadata.name'],
    [{ name: 'a', labels: { 'a b': 'x' } }, 'metadata.labels'],
    [{ name: 'a', labels: { a: 'x y' } }, 'metadata.labels'],
    [{ name: 'a', annotations: { 'a b': 'x' } }, 'metadata.annotations'],
    [{ name: 'a', annotations: { a: 'x'.repeat(263_000) } }, 'metadata.annotations'],
    [{ name: 'a', finalizers: ['nodomain'] }, 'metadata.finalizers[0]'],
    [{ name: 'a', finalizers: ['a.b/c d'] }, 'metadata.finalizers'],
    [{ name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x' }] }, 'metadata.ownerReferences.uid'],
  ]
  for (const [metadata, field] of bad) {
    const answer = await at.api.send('POST', configMaps, { metadata })
    assert.equal(answer.status, 422, field)
    assert.ok(causeFields(answer).includes(field), `${field}: ${answer.text}`)
  }
})

test('only one owner may be the controller', async () => {
  const owner = (name: string) => ({ apiVersion: 'v1', kind: 'X', name, uid: name, controller: true })
  const answer = await at.api.send('POST', configMaps, {
    metadata: { name: 'a', ownerReferences: [owner('a'), owner('b')] },
  })
  assert.equal(answer.status, 422)
  assert.match(answer.body.message, /Only one reference can have Controller set to true/)
})

test('a finalizer without a domain is accepted on custom resources, with a warning', async () => {
  const answer = await at.api.send(
    'POST',
    widgetsPath,
    widget('finalizer', {}, { metadata: { finalizers: ['nodomain'] } }),
  )
  assert.equal(answer.status, 201)
  assert.match(String(answer.headers['warning']), /prefer a domain-qualified finalizer name/)
})

test('values of the wrong JSON type are 400 in built-in kinds and in metadata', async () => {
  const bad = [
    { metadata: { name: 'a', labels: { a: 1 } } },
    { metadata: { name: 'a', annotations: { a: true } } },
    { metadata: { name: 'a', finalizers: 'x' } },
    { metadata: { name: 5 } },
    { metadata: { name: 'a' }, data: { k: 1 } },
    { metadata: { name: 'a' }, data: [] },
    { metadata: { name: 'a' }, immutable: 'yes' },
    { metadata: [] },
  ]
  for (const body of bad) {
    const answer = await at.api.send('POST', configMaps, body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.equal(answer.body.reason, 'BadRequest')
  }
})

test('a body that is no JSON object is 400', async () => {
  for (const raw of ['', '{', '5', '[]', 'null', '"x"', '{"a":1}}']) {
    const answer = await at.api.send('POST', configMaps, undefined, { raw: raw || ' ' })
    assert.equal(answer.status, 400, raw)
  }
})

test('__proto__ as a key is refused and changes nothing', async () => {
  const raw = '{"metadata":{"name":"proto"},"data":{"__proto__":"x"}}'
  const answer = await at.api.send('POST', configMaps, undefined, { raw })
  assert.equal(answer.status, 400)
  await at.api.create(configMaps, { metadata: { name: 'proto' } })
  for (const path of ['/__proto__', '/metadata/__proto__', '/data/__proto__/a']) {
    const patch = [{ op: 'add', path, value: { name: 'x' } }]
    const patched = await at.api.send('PATCH', `${configMaps}/proto`, patch, { type: 'application/json-patch+json' })
    assert.deepEqual([patched.status, patched.body.message], [400, answer.body.message])
  }
  assert.equal(({} as Record<string, unknown>)['name'], undefined)
})

test('YAML bodies are read as YAML 1.1: a bare yes is a boolean', async () => {
  const yaml = (value: string) => `metadata: {name: yaml-${value.length}}\ndata: {k: ${value}, t: 2001-01-01}\n`
  const options = { type: 'application/yaml' }
  assert.equal((await at.api.send('POST', configMaps, undefined, { ...options, raw: yaml('yes') })).status, 400)
  const good = await at.api.send('POST', configMaps, undefined, { ...options, raw: yaml('"yes"') })
  assert.equal(good.status, 201, good.text)
  assert.deepEqual(good.body.data, { k: 'yes', t: '2001-01-01' })
})

test('unknown and duplicate fields are dropped, warned about or refused, as asked', async () => {
  const raw = '{"metadata":{"name":"dup","nope":1},"data":{"k":"1","k":"2"},"more":{}}'
  const send = (fieldValidation: string) =>
    at.api.send('POST', configMaps, undefined, { raw, query: { fieldValidation } })
  const strict = await send('Strict')
  assert.equal(strict.status, 400)
  assert.match(
    strict.body.message,
    /strict decoding error: unknown field "metadata.nope", unknown field "more", duplicate field "data.k"/,
  )
  const warn = await send('Warn')
  assert.equal(warn.status, 201)
  assert.deepEqual(warn.headers['warning'], [
    '299 - "unknown field \\"metadata.nope\\""',
    '299 - "unknown field \\"more\\""',
    '299 - "duplicate field \\"data.k\\""',
  ])
  assert.deepEqual(warn.body.data, { k: '2' })
  await at.api.delete(`${configMaps}/dup`)
  const ignore = await send('Ignore')
  assert.equal(ignore.headers['warning'], undefined)
  assert.equal((await send('Sometimes')).status, 422)
})

test('a dry run answers as if, and stores nothing', async () => {
  const watch = await at.api.watch(configMaps, {
    resourceVersion: (await at.api.get(configMaps)).body.metadata.resourceVersion,
  })
  const answer = await at.api.send('POST', configMaps, { metadata: { name: 'dry' } }, { query: { dryRun: 'All' } })
  assert.equal(answer.status, 201)
  assert.ok(answer.body.metadata.uid)
  assert.equal(answer.body.metadata.resourceVersion, undefined)
  assert.equal((await at.api.get(`${configMaps}/dry`)).status, 404)
  const other = await at.api.send('POST', configMaps, { metadata: { name: 'dry' } }, { query: { dryRun: 'Some' } })
  assert.deepEqual(causeFields(other), ['dryRun'])
  await at.api.create(configMaps, { metadata: { name: 'wet' } })
  const [first] = await watch.take(1)
  assert.equal(first?.object.metadata.name, 'wet')
  watch.stop()
})

test('two creates of one name at the same time: one wins, the other is told', async () => {
  const body = { metadata: { name: 'race' } }
  const answers = await Promise.all([1, 2, 3, 4].map(() => at.api.send('POST', configMaps, body)))
  assert.deepEqual(answers.map(one => one.status).sort(), [201, 409, 409, 409])
})
