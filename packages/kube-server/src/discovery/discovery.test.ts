import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inProcess } from '../../test/fixture.ts'
import { serve } from '../../test/widgets.ts'

const at = inProcess({}, api =>
  serve(api, {
    names: { shortNames: ['wg'], categories: ['all'] },
    subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
  }),
)
const aggregated = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`

test('legacy discovery lists groups, versions and resources', async () => {
  const api = await at.api.get('/api')
  assert.deepEqual([api.body.kind, api.body['versions']], ['APIVersions', ['v1']])
  const groups = (await at.api.get('/apis')).body['groups'] as { name: string }[]
  assert.ok(groups.some(group => group.name === 'test.example.com'))
  assert.ok(!groups.some(group => group.name === ''))
  const list = await at.api.get('/apis/test.example.com/v1')
  assert.deepEqual([list.body.kind, list.body['groupVersion']], ['APIResourceList', 'test.example.com/v1'])
  const resources = list.body['resources'] as { name: string; kind: string; shortNames?: string[] }[]
  assert.deepEqual(
    resources.map(one => [one.name, one.kind]),
    [
      ['widgets', 'Widget'],
      ['widgets/status', 'Widget'],
      ['widgets/scale', 'Scale'],
    ],
  )
  assert.deepEqual(resources[0]?.shortNames, ['wg'])
  assert.equal((await at.api.get('/api/v1')).body['groupVersion'], 'v1')
})

test('what is not there is 404, as text outside of known groups and as a Status inside', async () => {
  for (const path of [
    '/apis/none.example.com',
    '/apis/none.example.com/v1',
    '/apis/none.example.com/v1/foos',
    '/api/v7',
    '/nothing',
  ]) {
    const answer = await at.api.get(path)
    assert.deepEqual([answer.status, answer.text], [404, '404 page not found\n'], path)
  }
  const inside = await at.api.get('/api/v1/namespaces/default/frobs')
  assert.equal(inside.status, 404)
  assert.equal(inside.body.message, 'the server could not find the requested resource')
  assert.deepEqual(inside.body.details, {})
})

test('aggregated discovery answers in the version that was asked for, with a tag to ask again by', async () => {
  for (const [asked, version] of [
    [`${aggregated('v2')},${aggregated('v2beta1')},application/json`, 'v2'],
    [`${aggregated('v2beta1')},application/json`, 'v2beta1'],
  ] as const)
    for (const path of ['/api', '/apis']) {
      const answer = await at.api.get(path, {}, { accept: asked })
      assert.equal(answer.headers['content-type'], aggregated(version))
      assert.equal(answer.headers['vary'], 'Accept')
      assert.equal(answer.body.apiVersion, `apidiscovery.k8s.io/${version}`)
      const tag = String(answer.headers['etag'])
      const again = await at.api.get(path, {}, { accept: asked, 'if-none-match': tag })
      assert.deepEqual([again.status, again.text], [304, ''])
    }
  const { body } = await at.api.get('/apis', {}, { accept: aggregated('v2') })
  const group = body.items.find(item => item.metadata.name === 'test.example.com')
  assert.deepEqual(group?.['versions'], [
    {
      version: 'v1',
      freshness: 'Current',
      resources: [
        {
          resource: 'widgets',
          responseKind: { group: 'test.example.com', version: 'v1', kind: 'Widget' },
          scope: 'Namespaced',
          singularResource: 'widget',
          verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
          shortNames: ['wg'],
          categories: ['all'],
          subresources: [
            {
              subresource: 'status',
              responseKind: { group: 'test.example.com', version: 'v1', kind: 'Widget' },
              verbs: ['get', 'patch', 'update'],
            },
            {
              subresource: 'scale',
              responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
              verbs: ['get', 'patch', 'update'],
            },
          ],
        },
      ],
    },
  ])
  assert.equal((await at.api.get('/apis', {}, { accept: aggregated('v9') })).status, 406)
})

test('the tag changes when a definition comes', async () => {
  const tag = async () => (await at.api.get('/apis', {}, { accept: aggregated('v2') })).headers['etag']
  const before = await tag()
  await serve(at.api, { group: 'new.example.com' })
  assert.notEqual(await tag(), before)
})

test('every OpenAPI document in the index can be fetched and names its kinds', async () => {
  const { body } = await at.api.get('/openapi/v3')
  const paths = body['paths'] as Record<string, { serverRelativeURL: string }>
  assert.ok(paths['api/v1'] && paths['apis/apps/v1'] && paths['apis/test.example.com/v1'])
  for (const { serverRelativeURL } of Object.values(paths)) {
    const document = await at.api.get(serverRelativeURL)
    assert.equal(document.status, 200)
    assert.equal(document.body['openapi'], '3.0.0')
    for (const found of document.text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(Object.hasOwn((document.body['components'] as { schemas: object }).schemas, found[1] ?? ''), found[1])
  }
  const widgets = (await at.api.get('/openapi/v3/apis/test.example.com/v1')).body
  const path = (widgets['paths'] as Record<string, { patch: Record<string, unknown> }>)[
    '/apis/test.example.com/v1/namespaces/{namespace}/widgets/{name}'
  ]
  assert.deepEqual(path?.patch['x-kubernetes-group-version-kind'], {
    group: 'test.example.com',
    version: 'v1',
    kind: 'Widget',
  })
  assert.match(JSON.stringify(path?.patch['parameters']), /"fieldValidation"/)
})

test('the version is honest, health is ok, OpenAPI v2 is not there', async () => {
  const { body } = await at.api.get('/version')
  assert.deepEqual([body['major'], body['minor']], ['1', '32'])
  for (const path of ['/healthz', '/livez', '/readyz']) assert.equal((await at.api.get(path)).text, 'ok')
  assert.equal((await at.api.get('/openapi/v2')).status, 404)
})
