/** The OCI client against the real docker-registry of Debian, over loopback: what most private registries run. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { httpTransport } from '@godwit/kube'
import { sleep, systemClock } from '@godwit/ports'
import { SnapshotStore } from '@godwit/simulation'
import { findDockerRegistry } from '../../../scripts/docker-registry.ts'
import { ociRegistry, type RegistryCredentialSource, RegistryError, type RegistryFailure } from '../src/index.ts'

const patienceMs = 60_000
const binary = findDockerRegistry()
const VM = 'vk-ns-demo-0-505043'
const ABSENT = `sha256:${'0'.repeat(64)}`
const USER = 'op'
const PASSWORD = 'correct horse'
/** bcrypt of the password, made once: Node has no bcrypt of its own. */
const HTPASSWD = `${USER}:$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2`

if (binary === undefined)
  test('docker-registry', t => {
    const why = 'LEFT OUT: no docker-registry found; make one available with node scripts/docker-registry.ts'
    console.log(why)
    t.diagnostic(why)
    assert.ok(process.env['CI'] !== 'true', 'continuous integration must have a docker-registry')
  })
else describe('a real docker-registry', { timeout: patienceMs }, () => suite(binary))

interface Flavour {
  readonly deletion?: boolean
  readonly htpasswd?: boolean
}

/** The state of each thread of a process, as the kernel tells it. */
const threadsOf = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).map(thread => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    return stat[stat.lastIndexOf(')') + 2]
  })

/** One registry on a folder of its own, which can be killed and started again on the same port. */
class RealRegistry {
  readonly #program: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'godwit-registry-'))
  readonly #port: number
  #child: ChildProcess | undefined

  constructor(program: string, port: number, { deletion = true, htpasswd = false }: Flavour) {
    this.#program = program
    this.#port = port
    const passwords = join(this.#folder, 'htpasswd')
    writeFileSync(passwords, `${HTPASSWD}\n`)
    const config = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(this.#folder, 'data') }, delete: { enabled: deletion } },
      http: { addr: this.host },
      ...(htpasswd && { auth: { htpasswd: { realm: 'test', path: passwords } } }),
    }
    // JSON is YAML.
    writeFileSync(join(this.#folder, 'config.yml'), JSON.stringify(config))
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, ['serve', join(this.#folder, 'config.yml')], { stdio: 'ignore' })
    this.#child = child
    for (;;) {
      assert.equal(child.exitCode, null, 'the registry ended by itself')
      if (await isAnswering(this.host)) return
      await sleep(systemClock, 20)
    }
  }

  /** As SIGKILL does. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Stands still, so that requests are accepted by the machine and never answered. */
  /** Resolves when all its threads stand: the signal alone says nothing, one of them may still answer. */
  async freeze(): Promise<void> {
    const { pid } = this.#child ?? {}
    if (pid === undefined) throw new Error('the registry does not run')
    this.#child?.kill('SIGSTOP')
    while (!threadsOf(pid).every(state => state === 'T')) await sleep(systemClock, 5)
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function isAnswering(host: string): Promise<boolean> {
  const transport = httpTransport({ server: `http://${host}` })
  try {
    const { status } = await transport.request({ method: 'GET', path: '/v2/', headers: {}, timeoutMs: 1_000 })
    return status === 200 || status === 401
  } catch {
    return false
  } finally {
    await transport.close()
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

const snapshot = {
  snapshotId: 'snap-1',
  image: 'ubuntu:24.04',
  fromNode: 'node-a',
  createdAt: '2026-01-01T00:00:00Z',
  counter: 42,
}

const credentialsOf = (password: string): RegistryCredentialSource => ({
  find: async () => ({ kind: 'password', username: USER, password }),
})

const failsWith = (failure: RegistryFailure, status: number) => (error: unknown) => {
  assert.ok(error instanceof RegistryError, String(error))
  assert.deepEqual([error.failure, error.status], [failure, status], error.message)
  assert.doesNotMatch(`${error.stack} ${error.cause}`, new RegExp(PASSWORD))
  return true
}

function suite(program: string): void {
  const stops: (() => Promise<void>)[] = []
  after(async () => {
    for (const stop of stops.reverse()) await stop()
  })

  async function start(flavour: Flavour = {}, credentials?: RegistryCredentialSource, timeoutMs = 20_000) {
    const registry = new RealRegistry(program, await freePort(), flavour)
    stops.push(() => registry.remove())
    await registry.start()
    const transport = httpTransport({ server: `http://${registry.host}` })
    const basic = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')
    const headers = flavour.htpasswd ? { authorization: `Basic ${basic}` } : {}
    const client = ociRegistry({ base: `${registry.host}/vms`, timeoutMs, ...(credentials && { credentials }) })
    stops.push(
      () => transport.close(),
      () => client.close(),
    )
    return { registry, client, store: new SnapshotStore(transport, 'vms', headers) }
  }

  test('a snapshot is pushed, probed, read and deleted by its digest; what is absent is known to be', async () => {
    const { client, store } = await start()
    assert.equal(await client.head(VM, 'hibernate'), undefined, 'no such repository')
    const digest = await store.push(VM, 'hibernate', snapshot)
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.equal(await client.head(VM, 'latest'), undefined, 'no such tag')
    const expected = { digest, snapshotId: 'snap-1', baseImage: 'ubuntu:24.04', isComplete: true }
    assert.deepEqual(await client.read(VM, 'hibernate'), expected)
    assert.deepEqual(await client.read(VM, digest), expected)
    assert.equal(await client.read(VM, ABSENT), undefined)
    assert.equal(await client.deleteByDigest(VM, digest), 'deleted')
    assert.equal(await client.deleteByDigest(VM, digest), 'absent')
    assert.equal(await client.head(VM, 'hibernate'), undefined)
    assert.equal(await client.read(VM, 'hibernate'), undefined)
  })

  test('the deletion of an older push leaves the newer one under the same tag', async () => {
    const { client, store } = await start()
    const older = await store.push(VM, 'hibernate', snapshot)
    const newer = await store.push(VM, 'hibernate', { ...snapshot, snapshotId: 'snap-2', counter: 43 })
    assert.equal(await client.deleteByDigest(VM, older), 'deleted')
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest: newer })
    assert.equal((await store.read(VM, 'hibernate'))?.counter, 43)
  })

  test('where deletion is disabled, it is refused as such and nothing is gone', async () => {
    const { client, store } = await start({ deletion: false })
    const digest = await store.push(VM, 'hibernate', snapshot)
    await assert.rejects(client.deleteByDigest(VM, digest), failsWith('DeletionDisabled', 405))
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
  })

  test('with passwords, nobody and a wrong password are unauthorized, the right one is let in', async () => {
    const { registry, client, store } = await start({ htpasswd: true }, credentialsOf(PASSWORD))
    const digest = await store.push(VM, 'hibernate', snapshot)
    const stranger = ociRegistry({ base: `${registry.host}/vms` })
    const wrong = ociRegistry({ base: `${registry.host}/vms`, credentials: credentialsOf('wrong') })
    stops.push(
      () => stranger.close(),
      () => wrong.close(),
    )
    for (const one of [stranger, wrong]) {
      await assert.rejects(one.head(VM, 'hibernate'), failsWith('Unauthorized', 401))
      await assert.rejects(one.deleteByDigest(VM, digest), failsWith('Unauthorized', 401))
    }
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.equal(await client.deleteByDigest(VM, digest), 'deleted')
  })

  test('killed in the middle of a request it is unavailable, never absent; started again it still has everything', async () => {
    const { registry, client, store } = await start()
    const digest = await store.push(VM, 'hibernate', snapshot)
    await registry.freeze()
    const waiting = assert.rejects(client.deleteByDigest(VM, digest), failsWith('Unavailable', 0))
    const reading = assert.rejects(client.head(VM, 'hibernate'), failsWith('Unavailable', 0))
    await registry.kill()
    await Promise.all([waiting, reading])
    await assert.rejects(client.read(VM, 'hibernate'), failsWith('Unavailable', 0))
    await registry.start()
    assert.deepEqual(await client.head(VM, 'hibernate'), { digest })
    assert.equal(await client.deleteByDigest(VM, digest), 'deleted')
  })

  test('one that stands still is given up after the limit', async () => {
    const { registry, client, store } = await start({}, undefined, 300)
    await store.push(VM, 'hibernate', snapshot)
    await registry.freeze()
    await assert.rejects(client.head(VM, 'hibernate'), failsWith('Unavailable', 0))
  })
}
