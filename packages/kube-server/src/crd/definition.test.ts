import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeFields } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { definition, definitionsPath, serve, version, widget } from '../../test/widgets.ts'

const at = inProcess()
const open = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
const refused = async (body: unknown) => {
  const answer = await at.api.send('POST', definitionsPath, body)
  assert.equal(answer.status, 422, answer.text)
  return causeFields(answer)
}
const changed = (group: string, change: (spec: Record<string, unknown>) => void) => {
  const body = definition({ group }) as { spec: Record<string, unknown> }
  change(body.spec)
  return body
}

test('what is left out is filled in, and the definition becomes established', async () => {
  const created = await at.api.create(definitionsPath, definition({ group: 'filled.example.com' }))
  assert.deepEqual(created.spec['names'], {
    plural: 'widgets',
    kind: 'Widget',
    singular: 'widget',
    listKind: 'WidgetList',
  })
  assert.deepEqual(created.spec['conversion'], { strategy: 'None' })
  assert.equal(created.metadata.generation, 1)
  const { body } = await at.api.until(`${definitionsPath}/widgets.filled.example.com`, ({ text }) =>
    text.includes('Established'),
  )
  const conditions = body.status['conditions'] as { type: string; status: string }[]
  assert.deepEqual(
    conditions.map(one => [one.type, one.status]),
    [
      ['NamesAccepted', 'True'],
      ['Established', 'True'],
    ],
  )
  assert.deepEqual(body.status['acceptedNames'], body.spec['names'])
  assert.deepEqual(body.status['storedVersions'], ['v1'])
})

test('definitions that break the rules are refused with the field that breaks them', async () => {
  assert.deepEqual(await refused({ ...definition({ group: 'a.example.com' }), metadata: { name: 'wrong' } }), [
    'metadata.name',
  ])
  assert.deepEqual(await refused(changed('b.example.com', spec => delete spec['scope'])), ['spec.scope'])
  assert.deepEqual(
    await refused(
      changed('c.example.com', spec => {
        spec['scope'] = 'World'
      }),
    ),
    ['spec.scope'],
  )
  assert.deepEqual(await refused(definition({ group: 'd.example.com', versions: [version('v1', { schema: null })] })), [
    'spec.versions[0].schema.openAPIV3Schema',
  ])
  assert.deepEqual(await refused(definition({ group: 'e.example.com', versions: [version('v1'), version('v2')] })), [
    'spec.versions',
  ])
  assert.deepEqual(
    await refused(definition({ group: 'f.example.com', versions: [version('v1', { storage: false })] })),
    ['spec.versions'],
  )
  assert.deepEqual(await refused(definition({ group: 'g.k8s.io' })), [
    'metadata.annotations[api-approved.kubernetes.io]',
  ])
  assert.deepEqual(
    await refused(
      changed('h.example.com', spec => {
        spec['conversion'] = { strategy: 'Webhook' }
      }),
    ),
    ['spec.conversion.strategy'],
  )
  assert.deepEqual(
    await refused(
      changed('i.example.com', spec => {
        spec['preserveUnknownFields'] = true
      }),
    ),
    ['spec.preserveUnknownFields'],
  )
  assert.deepEqual(await refused(definition({ group: 'nodots' })), ['spec.group'])
  const badScale = { scale: { specReplicasPath: '.status.replicas', statusReplicasPath: '.status.replicas' } }
  assert.deepEqual(await refused(definition({ group: 'j.example.com', subresources: badScale })), [
    'spec.versions[0].subresources.scale.specReplicasPath',
  ])
  const selectable = version('v1', { selectableFields: [{ jsonPath: '.spec.tags' }] })
  assert.deepEqual(await refused(definition({ group: 'k.example.com', versions: [selectable] })), [
    'spec.versions[0].selectableFields[0].jsonPath',
  ])
  const column = version('v1', { additionalPrinterColumns: [{ name: 'X', type: 'colour', jsonPath: '.spec' }] })
  assert.deepEqual(await refused(definition({ group: 'l.example.com', versions: [column] })), [
    'spec.versions[0].additionalPrinterColumns[0].type',
  ])
})

test('a definition whose names are taken is not served until they are free', async () => {
  const group = 'taken.example.com'
  await serve(at.api, { group, names: { shortNames: ['tk'] } })
  await at.api.create(
    definitionsPath,
    definition({ group, plural: 'others', kind: 'Other', names: { listKind: 'WidgetList' } }),
  )
  const path = `${definitionsPath}/others.${group}`
  const waiting = await at.api.until(path, ({ text }) => text.includes('NamesAccepted'))
  const conditions = waiting.body.status['conditions'] as { type: string; status: string; reason: string }[]
  assert.deepEqual(
    conditions.map(one => [one.type, one.status, one.reason]),
    [
      ['NamesAccepted', 'False', 'ListKindConflict'],
      ['Established', 'False', 'NotAccepted'],
    ],
  )
  assert.equal((await at.api.get(`/apis/${group}/v1/others`)).status, 404)
  await at.api.delete(`${definitionsPath}/widgets.${group}`)
  await at.api.until(`/apis/${group}/v1/others`, ({ status }) => status === 200)
})

test('group, scope and kind of an established definition stay', async () => {
  const group = 'still.example.com'
  await serve(at.api, { group })
  const patch = async (spec: unknown) =>
    causeFields(await at.api.merge(`${definitionsPath}/widgets.${group}`, { spec }))
  assert.deepEqual(await patch({ scope: 'Cluster' }), ['spec.scope'])
  assert.deepEqual(await patch({ names: { kind: 'Gadget' } }), ['spec.names.kind'])
  assert.ok((await patch({ group: 'other.example.com' })).includes('spec.group'))
})

test('one object is seen in every served version, with the defaults of that version', async () => {
  const group = 'versions.example.com'
  const withDefault = (value: string) => ({
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          default: {},
          properties: { flavour: { type: 'string', default: value }, kept: { type: 'string' } },
        },
      },
    },
  })
  const versions = [
    version('v1', { schema: withDefault('plain') }),
    version('v1beta1', { storage: false, schema: withDefault('beta') }),
    version('v2alpha1', { storage: false, served: false, schema: open }),
    version('v10', { storage: false, schema: withDefault('ten') }),
  ]
  await serve(at.api, { group, versions })
  const path = (name: string) => `/apis/${group}/${name}/namespaces/default/widgets`
  const beta = { ...widget('w', { kept: 'x' }), apiVersion: `${group}/v1beta1` }
  assert.equal((await at.api.create(path('v1beta1'), beta)).spec['flavour'], 'beta')
  const { body } = await at.api.get(`${path('v1')}/w`)
  assert.equal(body.apiVersion, `${group}/v1`)
  assert.deepEqual(body.spec, { flavour: 'beta', kept: 'x' })
  assert.equal((await at.api.get(`${path('v2alpha1')}/w`)).status, 404)
  const groups = (await at.api.get(`/apis/${group}`)).body
  assert.deepEqual(
    (groups['versions'] as { version: string }[]).map(one => one.version),
    ['v10', 'v1', 'v1beta1'],
  )
  assert.deepEqual(groups['preferredVersion'], { groupVersion: `${group}/v10`, version: 'v10' })
  const watch = await at.api.watch(path('v10'))
  assert.equal((await watch.take(1))[0]?.object.apiVersion, `${group}/v10`)
  watch.stop()
  assert.equal((await at.api.get(`${path('v10')}?limit=1`)).body.items[0]?.apiVersion, `${group}/v10`)
})

test('answers of a deprecated version carry its warning', async () => {
  const group = 'old.example.com'
  const versions = [
    version('v2'),
    version('v1', { storage: false, deprecated: true }),
    version('v1beta1', { storage: false, deprecated: true, deprecationWarning: 'use v2' }),
  ]
  await serve(at.api, { group, versions })
  const warning = async (name: string) => (await at.api.get(`/apis/${group}/${name}/widgets`)).headers['warning']
  assert.equal(await warning('v2'), undefined)
  assert.deepEqual(await warning('v1'), ['299 - "old.example.com/v1 Widget is deprecated"'])
  assert.deepEqual(await warning('v1beta1'), ['299 - "use v2"'])
})

test('a default that is added later shows on read and is stored by the next write', async () => {
  const group = 'later.example.com'
  await serve(at.api, { group })
  const path = `/apis/${group}/v1/namespaces/default/widgets`
  const old = await at.api.create(path, { ...widget('w', { parts: [{ name: 'a' }] }), apiVersion: `${group}/v1` })
  const added = [
    { op: 'add', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/default', value: 7 },
  ]
  const patched = await at.api.send('PATCH', `${definitionsPath}/widgets.${group}`, added, {
    type: 'application/json-patch+json',
  })
  assert.equal(patched.status, 200, patched.text)
  const read = await at.api.until(`${path}/w`, ({ body }) => body.spec['size'] === 7)
  assert.equal(read.body.metadata.resourceVersion, old.metadata.resourceVersion)
  const written = await at.api.merge(`${path}/w`, {})
  assert.notEqual(written.body.metadata.resourceVersion, old.metadata.resourceVersion)
})

test('values that a tightened schema forbids stay until they are touched', async () => {
  const group = 'tight.example.com'
  await serve(at.api, { group })
  const path = `/apis/${group}/v1/namespaces/default/widgets`
  await at.api.create(path, { ...widget('w', { size: 1 }), apiVersion: `${group}/v1` })
  const tighter = [
    {
      op: 'replace',
      path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/minimum',
      value: 5,
    },
  ]
  await at.api.send('PATCH', `${definitionsPath}/widgets.${group}`, tighter, { type: 'application/json-patch+json' })
  await at.server.idle()
  assert.equal((await at.api.merge(`${path}/w`, { spec: { color: 'Blue' } })).status, 200)
  assert.equal((await at.api.merge(`${path}/w`, { spec: { size: 2 } })).status, 422)
  assert.equal((await at.api.merge(`${path}/w`, { spec: { size: 6 } })).status, 200)
})

test('deleting a definition deletes its objects first, and waits for their finalizers', async () => {
  const group = 'going.example.com'
  await serve(at.api, { group })
  const path = `/apis/${group}/v1/namespaces/default/widgets`
  const body = (name: string, finalizers: string[]) => ({
    ...widget(name, {}, { metadata: { finalizers } }),
    apiVersion: `${group}/v1`,
  })
  await at.api.create(path, body('free', []))
  await at.api.create(path, body('held', ['a.example.com/hold']))
  const deleted = await at.api.delete(`${definitionsPath}/widgets.${group}`)
  assert.deepEqual(deleted.body.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  await at.api.until(`${path}/free`, ({ status }) => status === 404)
  const refused = await at.api.send('POST', path, body('late', []))
  assert.equal(refused.status, 405)
  assert.match(refused.body.message, /create not allowed while custom resource definition is terminating/)
  const waiting = await at.api.until(`${definitionsPath}/widgets.${group}`, ({ text }) =>
    text.includes('InstanceDeletionInProgress'),
  )
  assert.equal(waiting.status, 200)
  await at.api.merge(`${path}/held`, { metadata: { finalizers: null } })
  await at.api.until(`${definitionsPath}/widgets.${group}`, ({ status }) => status === 404)
  assert.equal((await at.api.get(path)).status, 404)
  await serve(at.api, { group })
  assert.deepEqual((await at.api.get(path)).body.items, [])
})

test('a new storage version joins the stored versions, which only the status endpoint can shorten', async () => {
  const group = 'migrated.example.com'
  await serve(at.api, { group })
  const path = `${definitionsPath}/widgets.${group}`
  await at.api.merge(path, { spec: { versions: [version('v1', { storage: false }), version('v2')] } })
  const { body } = await at.api.get(path)
  assert.deepEqual(body.status['storedVersions'], ['v1', 'v2'])
  const dropped = await at.api.merge(path, { spec: { versions: [version('v2')] } })
  assert.deepEqual(causeFields(dropped), ['status.storedVersions[0]'])
  await at.api.merge(`${path}/status`, { status: { storedVersions: ['v2'] } })
  assert.equal((await at.api.merge(path, { spec: { versions: [version('v2')] } })).status, 200)
})

test('selectable fields select', async () => {
  const group = 'select.example.com'
  await serve(at.api, {
    group,
    versions: [version('v1', { selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }] })],
  })
  const path = `/apis/${group}/v1/namespaces/default/widgets`
  for (const [name, spec] of Object.entries({ a: { size: 1 }, b: { color: 'Blue', size: 2 }, c: {} }))
    await at.api.create(path, { ...widget(name, spec), apiVersion: `${group}/v1` })
  const names = async (fieldSelector: string) =>
    (await at.api.get(path, { fieldSelector })).body.items.map(item => item.metadata.name)
  assert.deepEqual(await names('spec.color=Blue'), ['b'])
  assert.deepEqual(await names('spec.color!=Blue,spec.size=1'), ['a'])
  assert.deepEqual(await names('spec.size='), ['c'])
  assert.equal(
    (await at.api.get(path, { fieldSelector: 'spec.replicas=1' })).body.message,
    'field label not supported: spec.replicas',
  )
})
