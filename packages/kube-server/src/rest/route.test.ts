import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRoute, verbOf } from './route.ts'

const resource = (path: string) => {
  const route = parseRoute(path)
  assert.equal(route.kind, 'resource', path)
  return route.kind === 'resource' ? Object.values(route.path) : []
}

test('resource paths give group, version, namespace, plural, name and subresource', () => {
  assert.deepEqual(resource('/api/v1/namespaces'), ['', 'v1', '', 'namespaces', '', ''])
  assert.deepEqual(resource('/api/v1/namespaces/x'), ['', 'v1', '', 'namespaces', 'x', ''])
  assert.deepEqual(resource('/api/v1/namespaces/x/status'), ['', 'v1', '', 'namespaces', 'x', 'status'])
  assert.deepEqual(resource('/api/v1/namespaces/x/finalize'), ['', 'v1', '', 'namespaces', 'x', 'finalize'])
  assert.deepEqual(resource('/api/v1/namespaces/x/pods'), ['', 'v1', 'x', 'pods', '', ''])
  assert.deepEqual(resource('/api/v1/namespaces/x/pods/p/status'), ['', 'v1', 'x', 'pods', 'p', 'status'])
  assert.deepEqual(resource('/apis/a.b/v2/things/t/scale/'), ['a.b', 'v2', '', 'things', 't', 'scale'])
  assert.deepEqual(resource('/apis/a.b/v2/namespaces/x/things/system%3At'), [
    'a.b',
    'v2',
    'x',
    'things',
    'system:t',
    '',
  ])
})

test('discovery and everything else are told apart', () => {
  assert.deepEqual(parseRoute('/api'), { kind: 'discovery', group: undefined, version: undefined, legacy: true })
  assert.deepEqual(parseRoute('/api/v1/'), { kind: 'discovery', group: '', version: 'v1', legacy: true })
  assert.deepEqual(parseRoute('/apis/g'), { kind: 'discovery', group: 'g', version: undefined, legacy: false })
  assert.deepEqual(parseRoute('/apis/g/v1'), { kind: 'discovery', group: 'g', version: 'v1', legacy: false })
  for (const path of ['/', '/version', '/healthz/etcd', '/api/v1/namespaces/x/pods/p/log/more'])
    assert.equal(parseRoute(path).kind, 'other', path)
})

test('verbs follow from method, name and watch', () => {
  assert.equal(verbOf('GET', false, false), 'list')
  assert.equal(verbOf('HEAD', true, false), 'get')
  assert.equal(verbOf('GET', true, true), 'watch')
  assert.equal(verbOf('DELETE', false, false), 'deletecollection')
  assert.equal(verbOf('BREW', true, false), undefined)
})
