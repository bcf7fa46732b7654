import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Terminal } from '@godwit/core'
import { decodeBundle, digestOf, encodeBundle, itemOf, packItem } from './bundle.ts'

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'c1' } }
const isRefused = (why: RegExp) => (error: unknown) =>
  error instanceof Terminal && error.code === 'BundleRefused' && why.test(error.message)

test('an item comes out as it went in, named by the digest of its text', () => {
  const item = packItem('c1', [secret])
  const bundle = decodeBundle(encodeBundle('uid', [item, packItem('c2', [])]), 'uid')
  assert.deepEqual(itemOf(bundle, 'c1', digestOf(item.objects)), [secret])
})

test('the same items make the same bytes: a repeated delivery meets its own bundle', () => {
  const make = () => encodeBundle('uid', [packItem('c1', [secret])])
  assert.deepEqual(make(), make())
})

test('an item is bound to cluster, digest and migration', () => {
  const item = packItem('c1', [secret])
  const plain = encodeBundle('uid', [item])
  const bundle = decodeBundle(plain, 'uid')
  assert.throws(() => itemOf(bundle, 'c2', digestOf(item.objects)), isRefused(/no item c2/))
  assert.throws(() => itemOf(bundle, 'c1', digestOf('[]')), isRefused(/no item c1 with digest/))
  assert.throws(() => decodeBundle(plain, 'another'), isRefused(/another migration/))
})

test('what is no bundle is refused: text, another form, a bomb', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '['))
  for (const bytes of [Buffer.alloc(0), Buffer.from('{}'), gzipSync('{}'), gzipSync('[1'), gzipSync('null'), bomb])
    assert.throws(() => decodeBundle(bytes, 'uid'), isRefused(/unknown form/))
})

test('an item that is no list of objects is refused, whatever its digest', () => {
  for (const objects of ['', '{}', 'null', '[1]', '[null]', '[{"metadata":1}]']) {
    const bundle = decodeBundle(encodeBundle('uid', [{ cluster: 'c1', objects }]), 'uid')
    assert.throws(() => itemOf(bundle, 'c1', digestOf(objects)), isRefused(/not a list of objects/))
  }
})
