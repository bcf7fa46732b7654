import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { EmbeddedRegistry, type EmbeddedRegistryOptions, SnapshotStore } from '@godwit/simulation'
import type { RegistryCredentialSource, RegistryCredentials } from './credentials.ts'
import { type OciRegistryOptions, ociRegistry } from './oci-registry.ts'
import { RegistryError, type RegistryFailure } from './registry.ts'

const VM = 'vk-ns-demo-0-505043'
const ABSENT = `sha256:${'0'.repeat(64)}`
const snapshot = {
  snapshotId: 'snap-1',
  image: 'ubuntu:24.04',
  fromNode: 'node-a',
  createdAt: '2026-01-01T00:00:00Z',
  counter: 42,
}
const SECRET = 'top-secret-password'
const users = [
  { name: 'op', password: SECRET, may: ['pull', 'delete'] as const },
  { name: 'writer', password: SECRET, may: ['pull', 'push'] as const },
  { name: 'agent', password: SECRET, may: ['pull', 'push', 'delete'] as const },
]
const password = (username: string, text = SECRET): RegistryCredentialSource => ({
  find: async () => ({ kind: 'password', username, password: text }),
})

const stops: (() => Promise<unknown>)[] = []
after(() => Promise.all(stops.map(stop => stop())))

/** A registry with one snapshot, in process, and a client for it. */
async function start(options: EmbeddedRegistryOptions = {}, own: Partial<OciRegistryOptions> = {}) {
  const registry = await EmbeddedRegistry.start({ listen: false, ...options })
  const client = ociRegistry({ base: 'registry.invalid/vms', connect: () => registry.transport(), ...own })
  const direct = await EmbeddedRegistry.start({ listen: false, content: registry.content })
  const store = new SnapshotStore(direct.transport(), 'vms')
  const requests: string[] = []
  registry.onRequest(({ method, part, status }) => requests.push(`${method} ${part} ${status}`))
  return { registry, client, store, requests, digest: await store.push(VM, 'hibernate', snapshot) }
}

/** As over HTTP: the token service of a registry without https is believed on this machine only. */
async function startHttp(options: EmbeddedRegistryOptions, credentials?: RegistryCredentialSource) {
  const open = await EmbeddedRegistry.start({ listen: false })
  const digest = await new SnapshotStore(open.transport(), 'vms').push(VM, 'hibernate', snapshot)
  const registry = await EmbeddedRegistry.start({ ...options, content: open.content })
  const client = ociRegistry({
    base: `${registry.host}/vms`,
    ...(credentials && { credentials }),
    ...(options.clock && { clock: options.clock }),
  })
  stops.push(
    () => client.close(),
    () => registry.stop(),
  )
  const requests: string[] = []
  registry.onRequest(({ method, part, status }) => requests.push(`${method} ${part} ${status}`))
  return { registry, client, requests, digest }
}

const failsWith = (failure: RegistryFailure, status: number) => (error: unknown) => {
  assert.ok(error instanceof RegistryError, String(error))
  assert.deepEqual([error.failure, error.status], [failure, status], error.message)
  const everything = `${error.stack} ${error.cause} ${JSON.stringify(error)}`
  assert.doesNotMatch(everything, new RegExp(`${SECRET}|${Buffer.from(`op:${SECRET}`).toString('base64')}|Bearer `))
  return true
}

describe('what a registry says', () => {
  test('a tag that is there has a digest, one that is not is known to be absent', async () => {
    const { client, digest, requests } = await start()
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.equal(await client.head(VM, 'latest'), undefined)
    assert.equal(await client.head('vk-never-seen', 'hibernate'), undefined)
    assert.deepEqual(requests, ['HEAD manifest 200', 'HEAD manifest 404', 'HEAD manifest 404'], 'one request each')
  })

  test('a snapshot tells its id and base image, by tag and by digest', async () => {
    const { client, digest } = await start()
    const expected = { digest, snapshotId: 'snap-1', baseImage: 'ubuntu:24.04', isComplete: true }
    assert.deepEqual(await client.read(VM, 'hibernate'), expected)
    assert.deepEqual(await client.read(VM, digest), expected)
    assert.equal(await client.read(VM, 'latest'), undefined)
    assert.equal(await client.read(VM, ABSENT), undefined)
  })

  test('a deletion removes exactly one manifest; a newer push under the same tag survives', async () => {
    const { client, store, digest } = await start()
    const newer = await store.push(VM, 'hibernate', { ...snapshot, snapshotId: 'snap-2' })
    assert.equal(await client.deleteByDigest(VM, digest), 'deleted')
    assert.equal(await client.deleteByDigest(VM, digest), 'absent')
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest: newer })
  })

  test('names that would lead elsewhere are refused before anything is sent', async () => {
    const { client, requests } = await start()
    for (const name of ['', '..', 'a/../b', 'Upper', 'a?b', 'a b'])
      await assert.rejects(client.head(name, 'hibernate'), failsWith('Invalid', 0))
    await assert.rejects(client.head(VM, '../x'), failsWith('Invalid', 0))
    await assert.rejects(client.deleteByDigest(VM, 'hibernate'), failsWith('Invalid', 0))
    assert.deepEqual(requests, [])
  })
})

describe('what can be restored from', () => {
  for (const [what, index] of [
    ['config blob', 1],
    ['layer', 0],
  ] as const)
    test(`a tag whose ${what} is gone is not complete`, async () => {
      const { registry, client, digest } = await start()
      const manifest = JSON.parse(String(registry.content.manifest(`vms/${VM}`, digest)?.bytes))
      const lost = index === 1 ? manifest.config.digest : manifest.layers[0].digest
      assert.ok(registry.content.deleteBlob(`vms/${VM}`, lost))
      const read = await client.read(VM, 'hibernate')
      assert.deepEqual([read?.digest, read?.isComplete], [digest, false])
    })

  test('a manifest that is none, or not the one asked for, is an error and not an absence', async () => {
    const { registry, client, digest } = await start()
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    registry.content.putManifest(`vms/${VM}`, 'odd', { mediaType, bytes: Buffer.from('{"layers": 3}') })
    await assert.rejects(client.read(VM, 'odd'), failsWith('Invalid', 200))
    const lying = ociRegistry({
      base: 'registry.invalid/vms',
      connect: () => ({
        request: async () => ({
          status: 200,
          headers: { 'docker-content-digest': digest },
          text: async () => '{"layers": []}',
          async *lines() {},
        }),
        close: async () => undefined,
      }),
    })
    await assert.rejects(lying.read(VM, 'hibernate'), failsWith('Invalid', 200))
  })

  test('a 404 of something that is no registry is not an absence', async () => {
    const proxy = createServer((_, answer) => answer.writeHead(404).end('<html>nothing here</html>'))
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    stops.push(async () => proxy.close())
    const client = ociRegistry({ base: `127.0.0.1:${(proxy.address() as AddressInfo).port}` })
    stops.push(() => client.close())
    await assert.rejects(client.head(VM, 'hibernate'), failsWith('Invalid', 404))
    await assert.rejects(client.read(VM, 'hibernate'), failsWith('Invalid', 404))
    await assert.rejects(client.deleteByDigest(VM, ABSENT), failsWith('Invalid', 404))
  })

  test('an answer without end is cut off', async () => {
    const endless = createServer((_, answer) => {
      answer.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' })
      const more = () => {
        while (answer.writable && answer.write(Buffer.alloc(65_536, 32)));
      }
      answer.on('drain', more)
      more()
    })
    await new Promise<void>(resolve => endless.listen(0, '127.0.0.1', resolve))
    stops.push(async () => endless.close())
    const client = ociRegistry({ base: `127.0.0.1:${(endless.address() as AddressInfo).port}` })
    stops.push(() => client.close())
    await assert.rejects(client.read(VM, 'hibernate'), failsWith('Unavailable', 0))
  })
})

describe('errors are kept apart', () => {
  const CASES = [
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
    [405, 'DeletionDisabled'],
    [429, 'RateLimited'],
    [500, 'Unavailable'],
    [503, 'Unavailable'],
  ] as const
  for (const [code, failure] of CASES)
    test(`${code} is ${failure}`, async () => {
      const { registry, client, digest } = await start()
      registry.faults.add({ effect: { kind: 'status', code, retryAfterSeconds: 3 } })
      for (const attempt of [
        () => client.head(VM, 'hibernate'),
        () => client.read(VM, 'hibernate'),
        () => client.deleteByDigest(VM, digest),
      ])
        await assert.rejects(attempt(), (error: unknown) => {
          failsWith(failure, code)(error)
          return code === 401 || (error as RegistryError).retryAfterMs === 3_000
        })
    })

  test('deletion that is switched off is told from a missing right', async () => {
    const { client, digest } = await start({ deletion: false })
    await assert.rejects(client.deleteByDigest(VM, digest), failsWith('DeletionDisabled', 405))
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
  })

  test('no connection, a cut one, half an answer: unavailable', async () => {
    const { registry, client } = await start()
    for (const effect of [{ kind: 'cut', applied: false }, { kind: 'half' }] as const) {
      const off = registry.faults.add({ methods: ['GET'], effect })
      await assert.rejects(client.read(VM, 'hibernate'), failsWith('Unavailable', 0))
      off()
    }
    registry.isDown = true
    await assert.rejects(client.head(VM, 'hibernate'), failsWith('Unavailable', 0))
  })

  test('a deletion whose answer was lost is seen as done when it is asked again', async () => {
    const { registry, client, digest } = await start()
    registry.faults.add({ methods: ['DELETE'], count: 1, effect: { kind: 'cut', applied: true } })
    await assert.rejects(client.deleteByDigest(VM, digest), failsWith('Unavailable', 0))
    assert.equal(await client.deleteByDigest(VM, digest), 'absent')
  })

  test('silence ends at the limit, and at once when the caller gives up', async () => {
    const clock = new VirtualClock()
    const { registry, client } = await start({ clock }, { clock, timeoutMs: 4_000 })
    registry.faults.add({ effect: { kind: 'silence', applied: false } })
    const silent = client.head(VM, 'hibernate')
    const refused = assert.rejects(silent, failsWith('Unavailable', 0))
    clock.advance(4_000)
    await refused
    const stop = new AbortController()
    const given = assert.rejects(client.head(VM, 'hibernate', stop.signal), failsWith('Unavailable', 0))
    stop.abort()
    await given
  })
})

describe('who the operator is', () => {
  test('a password is sent when it is asked for, and kept for what follows', async () => {
    const { client, digest, requests } = await startHttp({ auth: { kind: 'basic', users } }, password('op'))
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.deepEqual(requests, ['HEAD manifest 401', 'HEAD manifest 200', 'HEAD manifest 200'])
  })

  test('a token is fetched for each repository and kind of access, and used until it expires', async () => {
    const clock = new VirtualClock()
    const auth = { kind: 'token', users, lifetimeMs: 60_000 } as const
    const { client, digest, requests } = await startHttp({ auth, clock }, password('op'))
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.deepEqual(requests.splice(0), ['HEAD manifest 401', 'GET token 200', 'HEAD manifest 200'])
    assert.equal((await client.read(VM, 'hibernate'))?.isComplete, true)
    assert.ok(!requests.splice(0).some(line => line.includes('401') || line.includes('token')))
    clock.advance(56_000)
    await client.head(VM, 'hibernate')
    assert.deepEqual(requests.splice(0), ['HEAD manifest 401', 'GET token 200', 'HEAD manifest 200'])
    assert.equal(await client.deleteByDigest(VM, digest), 'deleted')
    assert.deepEqual(requests.splice(0), ['DELETE manifest 401', 'GET token 200', 'DELETE manifest 202'])
  })

  test('callers at the same moment share one token', async () => {
    const { client, requests } = await startHttp({ auth: { kind: 'token', users } }, password('op'))
    await Promise.all(Array.from({ length: 5 }, () => client.head(VM, 'hibernate')))
    assert.equal(requests.filter(line => line === 'GET token 200').length, 1)
  })

  test('a token that the registry takes back is replaced once', async () => {
    const { registry, client, digest, requests } = await startHttp({ auth: { kind: 'token', users } }, password('op'))
    await client.head(VM, 'hibernate')
    requests.length = 0
    registry.faults.add({ methods: ['HEAD'], effect: { kind: 'status', code: 401 } })
    await assert.rejects(client.head(VM, 'hibernate'), failsWith('Unauthorized', 401))
    registry.faults.clear()
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
  })

  test('nobody, a wrong password, a missing right: each has its own error', async () => {
    for (const kind of ['basic', 'token'] as const) {
      const auth = { kind, users }
      const stranger = await startHttp({ auth })
      await assert.rejects(stranger.client.head(VM, 'hibernate'), failsWith('Unauthorized', 401))
      const wrong = await startHttp({ auth }, password('op', 'wrong'))
      await assert.rejects(wrong.client.head(VM, 'hibernate'), failsWith('Unauthorized', 401))
      const writer = await startHttp({ auth }, password('writer'))
      assert.ok(await writer.client.head(VM, 'hibernate'))
      await assert.rejects(writer.client.deleteByDigest(VM, writer.digest), failsWith('Forbidden', 403))
    }
  })

  test('an identity token is exchanged at the token service, which alone sees it', async () => {
    const seen: string[] = []
    const service = createServer((request, answer) => {
      let body = ''
      request.on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${body}`)
        answer.end(JSON.stringify({ access_token: 'abc', expires_in: 300 }))
      })
    })
    await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve))
    stops.push(async () => service.close())
    const realm = `http://127.0.0.1:${(service.address() as AddressInfo).port}/token`
    const host = createServer((request, answer) => {
      seen.push(`${request.method} ${request.headers.authorization ?? 'nobody'}`)
      if (request.headers.authorization === 'Bearer abc')
        answer.writeHead(200, { 'docker-content-digest': ABSENT }).end()
      else answer.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s",scope="x"` }).end()
    })
    await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve))
    stops.push(async () => host.close())
    const credentials = { find: async (): Promise<RegistryCredentials> => ({ kind: 'refreshToken', token: 'refresh' }) }
    const client = ociRegistry({ base: `127.0.0.1:${(host.address() as AddressInfo).port}`, credentials })
    stops.push(() => client.close())
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest: ABSENT })
    assert.deepEqual(seen, [
      'HEAD nobody',
      'POST /token scope=x&service=s&grant_type=refresh_token&client_id=godwit&refresh_token=refresh',
      'HEAD Bearer abc',
    ])
  })

  test('no registry can make us show credentials in the clear, or elsewhere', async () => {
    const seen: string[] = []
    const connect = (origin: string) => ({
      request: async ({ path, headers }: { path: string; headers: object }) => {
        seen.push(`${origin}${path} ${JSON.stringify(headers)}`)
        const isBlob = path.includes('/blobs/')
        return {
          status: isBlob ? 307 : 401,
          headers: isBlob
            ? { location: 'http://169.254.169.254/secrets' }
            : { 'www-authenticate': 'Bearer realm="http://attacker.example.com/token"' },
          text: async () => '',
          async *lines() {},
        }
      },
      close: async () => undefined,
    })
    const client = ociRegistry({ base: 'r.example.com', credentials: password('op'), connect })
    await assert.rejects(client.head(VM, 'hibernate'), failsWith('Invalid', 0))
    assert.deepEqual(
      seen.map(line => line.split(' ')[0]),
      [`https://r.example.com/v2/${VM}/manifests/hibernate`],
    )
  })
})
