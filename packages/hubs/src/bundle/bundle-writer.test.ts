import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Terminal } from '@godwit/core'
import { KubeClient, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import type { Secret } from '../api/index.ts'
import { itemOf, MAX_STORED_BYTES, type PackedItem, packItem } from './bundle.ts'
import { BundleReader } from './bundle-reader.ts'
import { BundleWriter } from './bundle-writer.ts'
import { makeSealingKeyPair } from './seal.ts'

const namespace = 'default'

async function setUp(t: TestContext) {
  const server = await KubeServer.start({ listen: false })
  t.after(() => server.stop())
  const client = new KubeClient({ transport: server.transport() })
  const { publicKey, privateKey } = makeSealingKeyPair()
  const options = { client, namespace, migrationUid: 'uid', sealTo: publicKey }
  return {
    writer: () => new BundleWriter(options),
    reader: () => new BundleReader({ globalHub: client, namespace, privateKey: async () => privateKey }),
    keyless: () => new BundleReader({ globalHub: client, namespace, privateKey: async () => undefined }),
    secrets: async () => (await client.list<Secret>(resources.secrets, { namespace })).items,
  }
}

/** An item whose text cannot be compressed to less than about three quarters. */
const incompressible = (cluster: string, bytes: number): PackedItem => ({
  cluster,
  objects: JSON.stringify([{ text: randomBytes(bytes).toString('base64') }]),
})

test('clusters that are ready together travel in one Secret, and each opens by its digest', async t => {
  const { writer, reader, secrets } = await setUp(t)
  const one = writer()
  const names = ['c1', 'c2', 'c3']
  const object = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: name } })
  const tickets = await Promise.all(names.map(name => one.write(async () => packItem(name, [object(name)]))))
  assert.equal(new Set(tickets.map(({ bundle }) => bundle)).size, 1)
  assert.equal((await secrets()).length, 1)
  for (const [index, name] of names.entries()) {
    const { bundle, digest } = tickets[index] ?? assert.fail()
    assert.deepEqual(itemOf(await reader().read(bundle, 'uid'), name, digest), [object(name)])
  }
})

test('what does not fit into one bundle goes into several, none larger than allowed', async t => {
  const { writer, secrets } = await setUp(t)
  const one = writer()
  const names = Array.from({ length: 9 }, (_, index) => `c${index}`)
  const tickets = await Promise.all(names.map(name => one.write(async () => incompressible(name, 170_000))))
  const stored = await secrets()
  assert.ok(stored.length > 1 && stored.length < names.length, `${stored.length} bundles`)
  for (const { data } of stored) assert.ok((data?.['bundle']?.length ?? 0) <= MAX_STORED_BYTES)
  assert.deepEqual(new Set(tickets.map(({ bundle }) => bundle)), new Set(stored.map(({ metadata }) => metadata.name)))
})

test('a large cluster that compresses well travels alone', async t => {
  const { writer, reader } = await setUp(t)
  const large: PackedItem = { cluster: 'c1', objects: JSON.stringify([{ text: 'manifest '.repeat(300_000) }]) }
  const { bundle, digest } = await writer().write(async () => large)
  assert.equal(itemOf(await reader().read(bundle, 'uid'), 'c1', digest).length, 1)
})

test('a cluster that is too large is told so, and the others of its pack travel', async t => {
  const { writer, secrets } = await setUp(t)
  const one = writer()
  const [small, large] = await Promise.allSettled([
    one.write(async () => incompressible('small', 1000)),
    one.write(async () => incompressible('large', 650_000)),
  ])
  assert.equal(small.status, 'fulfilled')
  assert.ok(large.status === 'rejected' && large.reason instanceof Terminal)
  assert.equal(large.reason.code, 'BundleTooLarge')
  assert.match(large.reason.message, /resources of large need \d+ KiB .* more than the 800 KiB/)
  assert.equal((await secrets()).length, 1)
})

test('a writer that starts again finds what its predecessor stored', async t => {
  const { writer, secrets } = await setUp(t)
  const item = packItem('c1', [])
  const first = await writer().write(async () => item)
  assert.deepEqual(await writer().write(async () => item), first)
  assert.equal((await secrets()).length, 1)
})

test('a cluster that cannot be collected does not hold up its neighbours', async t => {
  const { writer } = await setUp(t)
  const one = writer()
  const [failed, other] = await Promise.allSettled([
    one.write(() => Promise.reject(new Error('unreadable'))),
    one.write(async () => packItem('c2', [])),
  ])
  assert.deepEqual([failed.status, other.status], ['rejected', 'fulfilled'])
})

test('a bundle that is not there yet is asked for again; one without its key is given up', async t => {
  const { writer, reader, keyless } = await setUp(t)
  const { bundle } = await writer().write(async () => packItem('c1', []))
  const waiting = reader()
  await assert.rejects(waiting.read('godwit-bundle-none', 'uid'), /not there yet/)
  await assert.doesNotReject(waiting.read(bundle, 'uid'))
  await assert.rejects(
    keyless().read(bundle, 'uid'),
    error => error instanceof Terminal && error.code === 'SealBroken' && /key .* is gone/.test(error.message),
  )
})
