import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { httpTransport, type Transport } from '@godwit/kube'
import { nextTurn, VirtualClock } from '@godwit/ports'
import { RegistryContent, type TagChange } from './content.ts'
import { EmbeddedRegistry, type EmbeddedRegistryOptions } from './embedded-registry.ts'
import { SnapshotStore } from './snapshot-store.ts'

const OCI = 'application/vnd.oci.image.manifest.v1+json'
const snapshot = {
  snapshotId: 's-1',
  image: 'ubuntu',
  fromNode: 'node-a',
  createdAt: '2026-01-01T00:00:00Z',
  counter: 42,
}

async function ask(transport: Transport, method: string, path: string, headers: Record<string, string> = {}) {
  const answer = await transport.request({ method, path, headers, timeoutMs: 5_000 })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

const WAYS = ['over HTTP', 'in process'] as const

for (const way of WAYS)
  describe(`an embedded registry ${way}`, () => {
    const stops: (() => Promise<void>)[] = []
    after(() => Promise.all(stops.map(stop => stop())))

    async function start(options: EmbeddedRegistryOptions = {}) {
      const registry = await EmbeddedRegistry.start({ ...options, listen: way === 'over HTTP' })
      const transport = way === 'over HTTP' ? httpTransport({ server: registry.url }) : registry.transport()
      stops.push(
        () => transport.close(),
        () => registry.stop(),
      )
      return { registry, transport, store: new SnapshotStore(transport, 'vms') }
    }

    test('a snapshot that was pushed is found by its tag, and deleted by its digest', async () => {
      const { registry, transport, store } = await start()
      const changes: TagChange[] = []
      registry.content.onTagChange(change => changes.push(change))
      assert.equal(await store.read('vm', 'hibernate'), undefined)
      const digest = await store.push('vm', 'hibernate', snapshot)
      assert.deepEqual(await store.read('vm', 'hibernate'), { ...snapshot, digest })
      const path = '/v2/vms/vm/manifests'
      const head = await ask(transport, 'HEAD', `${path}/hibernate`, { accept: OCI })
      assert.deepEqual([head.status, head.headers['docker-content-digest'], head.text], [200, digest, ''])
      assert.equal((await ask(transport, 'HEAD', `${path}/hibernate`)).status, 404, 'a type that is not accepted')
      assert.equal((await ask(transport, 'DELETE', `${path}/hibernate`)).status, 400, 'by tag')
      await store.drop('vm', digest)
      assert.equal((await ask(transport, 'DELETE', `${path}/${digest}`)).status, 404)
      assert.equal(await store.read('vm', 'hibernate'), undefined)
      assert.deepEqual(
        changes.map(({ type, previous }) => [type, previous]),
        [
          ['pushed', undefined],
          ['deleted', digest],
        ],
      )
    })

    test('a second push under the same tag has another digest, and a deletion of the first leaves it alone', async () => {
      const { store } = await start()
      const first = await store.push('vm', 'hibernate', snapshot)
      const second = await store.push('vm', 'hibernate', { ...snapshot, snapshotId: 's-2', counter: 50 })
      assert.notEqual(first, second)
      await store.drop('vm', first)
      assert.equal((await store.read('vm', 'hibernate'))?.counter, 50)
    })

    test('deletion is refused where it is disabled', async () => {
      const { transport, store } = await start({ deletion: false })
      const digest = await store.push('vm', 'hibernate', snapshot)
      const refused = await ask(transport, 'DELETE', `/v2/vms/vm/manifests/${digest}`)
      assert.equal(refused.status, 405)
      assert.equal(JSON.parse(refused.text).errors[0].code, 'UNSUPPORTED')
    })

    test('a manifest whose blobs are missing, or whose digest is another, is refused', async () => {
      const { transport } = await start()
      const body = JSON.stringify({ config: { digest: `sha256:${'0'.repeat(64)}` }, layers: [] })
      const put = (reference: string, text: string) =>
        transport.request({
          method: 'PUT',
          path: `/v2/vms/vm/manifests/${reference}`,
          headers: { 'content-type': OCI },
          body: text,
        })
      assert.match(await (await put('hibernate', body)).text(), /MANIFEST_BLOB_UNKNOWN/)
      assert.match(await (await put(`sha256:${'1'.repeat(64)}`, '{}')).text(), /DIGEST_INVALID/)
      assert.match(await (await put('hibernate', 'no JSON')).text(), /MANIFEST_INVALID/)
    })

    test('a password lets in, and only as far as its user may go', async () => {
      const users = [
        { name: 'all', password: 'p', may: ['pull', 'push', 'delete'] as const },
        { name: 'writer', password: 'p', may: ['pull', 'push'] as const },
      ]
      const { transport } = await start({ auth: { kind: 'basic', users } })
      const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
      const stranger = await ask(transport, 'GET', '/v2/')
      assert.equal(stranger.status, 401)
      assert.match(String(stranger.headers['www-authenticate']), /^Basic realm=/)
      assert.equal((await ask(transport, 'GET', '/v2/', basic('all:wrong'))).status, 401)
      const store = new SnapshotStore(transport, 'vms', basic('writer:p'))
      const digest = await store.push('vm', 'hibernate', snapshot)
      const path = `/v2/vms/vm/manifests/${digest}`
      assert.equal((await ask(transport, 'DELETE', path, basic('writer:p'))).status, 403)
      assert.equal((await ask(transport, 'DELETE', path, basic('all:p'))).status, 202)
    })

    test('a token of the token service lets in, to one repository, until it expires', async () => {
      const clock = new VirtualClock()
      const users = [{ name: 'op', password: 'p', may: ['pull', 'delete'] as const }]
      const { transport } = await start({ auth: { kind: 'token', users, lifetimeMs: 60_000 }, clock })
      const path = '/v2/vms/vm/manifests/hibernate'
      const refused = await ask(transport, 'GET', path, { accept: OCI })
      assert.equal(refused.status, 401)
      assert.match(
        String(refused.headers['www-authenticate']),
        /^Bearer realm="http:\/\/[^"]+\/token",service="embedded-registry",scope="repository:vms\/vm:pull"$/,
      )
      const tokenFor = async (scope: string, pair: string) => {
        const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
        const answer = await ask(transport, 'GET', `/token?scope=${scope}`, { authorization })
        return answer.status === 200 ? String(JSON.parse(answer.text).token) : String(answer.status)
      }
      assert.equal(await tokenFor('repository:vms/vm:pull', 'op:wrong'), '401')
      const token = await tokenFor('repository:vms/vm:pull,push', 'op:p')
      const bearer = { accept: OCI, authorization: `Bearer ${token}` }
      assert.equal((await ask(transport, 'GET', path, bearer)).status, 404)
      assert.equal((await ask(transport, 'GET', '/v2/other/manifests/x', bearer)).status, 401)
      assert.equal((await ask(transport, 'PUT', path, bearer)).status, 403, 'pushing was asked for and not granted')
      clock.advance(60_000)
      assert.equal((await ask(transport, 'GET', path, bearer)).status, 401)
    })

    test('faults strike what they are meant for, as often as they are meant to', async () => {
      const { registry, transport, store } = await start()
      const digest = await store.push('vm', 'hibernate', snapshot)
      const path = '/v2/vms/vm/manifests/hibernate'
      const head = () => ask(transport, 'HEAD', path, { accept: OCI })
      registry.faults.add({
        methods: ['HEAD'],
        parts: ['manifest'],
        skip: 1,
        count: 1,
        effect: { kind: 'status', code: 429, retryAfterSeconds: 7 },
      })
      assert.equal((await head()).status, 200)
      const struck = await head()
      assert.deepEqual([struck.status, struck.headers['retry-after']], [429, '7'])
      assert.equal((await head()).status, 200)
      registry.faults.add({ methods: ['DELETE'], count: 1, effect: { kind: 'cut', applied: true } })
      await assert.rejects(store.drop('vm', digest), { name: 'TransportError', reason: 'ConnectionError' })
      assert.equal(await store.read('vm', 'hibernate'), undefined, 'it was done all the same')
      await store.push('vm', 'hibernate', snapshot)
      registry.faults.add({ methods: ['GET'], parts: ['manifest'], count: 1, effect: { kind: 'half' } })
      await assert.rejects(store.read('vm', 'hibernate'), { name: 'TransportError', reason: 'ConnectionError' })
      assert.equal(registry.faults.strikes, 3)
    })

    test('one that is down answers nobody, and has everything when it is back', async () => {
      const { registry, store } = await start()
      await store.push('vm', 'hibernate', snapshot)
      registry.isDown = true
      await assert.rejects(store.read('vm', 'hibernate'), { name: 'TransportError' })
      registry.isDown = false
      assert.equal((await store.read('vm', 'hibernate'))?.counter, 42)
    })
  })

test('content outlives the registry that served it', async () => {
  const content = new RegistryContent()
  const first = await EmbeddedRegistry.start({ listen: false, content })
  await new SnapshotStore(first.transport()).push('vm', 'latest', snapshot)
  await first.stop()
  const second = await EmbeddedRegistry.start({ listen: false, content })
  assert.equal((await new SnapshotStore(second.transport()).read('vm', 'latest'))?.counter, 42)
  assert.deepEqual(
    [...content.allTags()].map(({ repository, tag }) => `${repository}:${tag}`),
    ['vm:latest'],
  )
})

test('in process, silence ends at the time limit of the virtual clock, and delays pass on it', async () => {
  const clock = new VirtualClock()
  const registry = await EmbeddedRegistry.start({ listen: false, clock })
  registry.faults.add({ count: 1, effect: { kind: 'silence', applied: false } })
  registry.faults.add({ skip: 1, effect: { kind: 'delay', delayMs: 700 } })
  const get = () => registry.transport().request({ method: 'GET', path: '/v2/', headers: {}, timeoutMs: 1_000 })
  const silent = assert.rejects(get(), { name: 'TransportError', reason: 'Timeout' })
  clock.advance(1_000)
  await silent
  const slow = get()
  await nextTurn()
  clock.advance(699)
  let status = 0
  const answered = slow.then(answer => {
    status = answer.status
  })
  await nextTurn()
  assert.equal(status, 0)
  clock.advance(1)
  await answered
  assert.equal(status, 200)
})
