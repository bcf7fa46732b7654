/** The real kubectl against the real server, over TLS with a token: what people will type first. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findKubectls, type Kubectl, oldestAndNewest } from '../../../scripts/kubectl.ts'
import { KubeServer } from '../src/index.ts'
import { certificateRequestManifest, widgetDefinition, widgetManifest } from './kubectl-manifests.ts'

const patienceMs = 120_000
const binaries = oldestAndNewest(findKubectls())

if (binaries.length === 0)
  test('kubectl', t => {
    const why = 'LEFT OUT: no kubectl found; make one available with node scripts/kubectl.ts'
    console.log(why)
    t.diagnostic(why)
    assert.ok(process.env['CI'] !== 'true', 'continuous integration must have a kubectl')
  })

for (const binary of binaries) describe(`kubectl ${binary.version}`, { timeout: patienceMs }, () => suite(binary))

interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One kubectl with a home and a kubeconfig of its own. */
class Shell {
  readonly folder = mkdtempSync(join(tmpdir(), 'kube-server-kubectl-'))
  readonly #binary: string

  constructor(binary: string, kubeconfig: string) {
    this.#binary = binary
    writeFileSync(join(this.folder, 'kubeconfig'), kubeconfig, { mode: 0o600 })
  }

  get #environment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: this.folder, KUBECONFIG: join(this.folder, 'kubeconfig') }
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  try(...args: string[]): Promise<Answer> {
    return new Promise(resolve => {
      execFile(this.#binary, args, { env: this.#environment, timeout: patienceMs }, (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, out, err })
      })
    })
  }

  /** Fails the test unless the command succeeds; returns what it printed. */
  async run(...args: string[]): Promise<string> {
    const { code, out, err } = await this.try(...args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}${out}`)
    return out
  }

  /** Starts a command that goes on until it is stopped. */
  follow(...args: string[]) {
    return spawn(this.#binary, args, { env: this.#environment })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function suite({ path, version }: Kubectl): void {
  const minor = Number(version.split('.')[1])
  let server: KubeServer
  let shell: Shell
  /** Older ones validate only with OpenAPI v2, which is not served. */
  const unchecked = minor < 29 ? ['--validate=false'] : []
  const run = (...args: string[]) => shell.run(...args)
  const watching = Promise.withResolvers<void>()

  before(async () => {
    server = await KubeServer.start({
      tls: true,
      auth: {},
      onRequest: ({ verb, resource }) => {
        if (verb === 'watch' && resource === 'configmaps') watching.resolve()
      },
    })
    shell = new Shell(path, server.kubeconfig())
    await run('create', '-f', shell.file('definition.json', widgetDefinition), ...unchecked)
    await run('wait', '--for=condition=Established', 'crd/widgets.shop.example.com', '--timeout=60s')
  })

  after(async () => {
    shell?.remove()
    await server?.stop()
  })

  test('discovers custom resources', async () => {
    assert.match(await run('api-resources', '--api-group=shop.example.com'), /^widgets +wg +.*true +Widget$/m)
  })

  test('applies, shows, changes, awaits and deletes a custom resource', async () => {
    const manifest = shell.file('widget.json', widgetManifest(5))
    assert.match(await run('apply', '-f', manifest, ...unchecked), /widget.shop.example.com\/w created/)
    assert.match(await run('get', 'wg'), /^NAME +COLOUR +AGE\nw +Red +\d+s\n$/)
    const changed = shell.file('changed.json', widgetManifest(6))
    if (minor >= 29) {
      const diff = await shell.try('diff', '-f', changed)
      assert.equal(diff.code, 1, diff.err)
      assert.match(diff.out, /^\+ {2}size: 6$/m)
    }
    assert.match(await run('apply', '-f', changed, ...unchecked), /configured/)
    assert.match(await run('apply', '--server-side', '-f', changed, ...unchecked), /serverside-applied/)
    assert.match(await run('patch', 'wg', 'w', '--type=merge', '-p', '{"spec":{"size":7}}'), /patched/)
    assert.match(await run('label', 'wg', 'w', 'tier=front'), /labeled/)
    assert.match(await run('scale', 'wg', 'w', '--replicas=4'), /scaled/)
    assert.equal(
      await run('get', 'wg', '-l', 'tier=front', '-o', 'jsonpath={.items[0].spec}'),
      '{"color":"Red","replicas":4,"size":7}',
    )
    assert.match(await run('describe', 'wg', 'w'), /^ +Size: +7$/m)
    const waiting = run('wait', '--for=condition=Ready', 'wg/w', '--timeout=60s')
    const status = { status: { conditions: [{ type: 'Ready', status: 'True' }] } }
    const response = await server.handle({
      method: 'PATCH',
      url: '/apis/shop.example.com/v1/namespaces/default/widgets/w/status',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: Buffer.from(JSON.stringify(status)),
      caller: { name: 'test', groups: ['system:masters'] },
    })
    assert.ok('status' in response && response.status === 200, JSON.stringify(response))
    assert.match(await waiting, /condition met/)
    assert.match(await run('delete', 'wg', 'w'), /deleted/)
  })

  test('refuses a custom resource that breaks its schema, and says why', async () => {
    const bad = shell.file('bad.json', widgetManifest(0))
    const { code, err } = await shell.try('create', '-f', bad, ...unchecked)
    assert.equal(code, 1)
    assert.match(err, /spec\.size: Invalid value: 0: .*should be greater than or equal to 1/)
  })

  test('follows changes with get -w', async () => {
    await run('create', 'configmap', 'followed', '--from-literal=a=1')
    const following = shell.follow(
      'get',
      'configmap',
      'followed',
      '-w',
      '-o',
      'jsonpath={.metadata.labels.step}{"\\n"}',
    )
    let seen = ''
    const isDone = new Promise<void>(resolve => {
      following.stdout.on('data', chunk => {
        seen += chunk
        if (seen.includes('second')) resolve()
      })
    })
    // Only once kubectl watches is a change certain to be an event of its own.
    await watching.promise
    await run('label', 'configmap', 'followed', 'step=second')
    await isDone
    following.kill()
    assert.equal(seen, '\nsecond\n')
  })

  if (minor >= 29)
    test('explains fields from the published schema', async () => {
      assert.match(await run('explain', 'widget.spec.color'), /The colour\./)
    })

  test('creates built-in objects, in whatever form it sends them', async () => {
    await run('create', 'namespace', 'shop')
    await run('create', 'secret', 'generic', 'pass', '-n', 'shop', '--from-literal=word=hush')
    assert.equal(await run('get', 'secret', 'pass', '-n', 'shop', '-o', 'jsonpath={.data.word}'), 'aHVzaA==')
    await run('create', 'serviceaccount', 'robot', '-n', 'shop')
    await run('create', 'role', 'reader', '-n', 'shop', '--verb=get', '--resource=configmaps')
    await run('create', 'rolebinding', 'robot', '-n', 'shop', '--role=reader', '--serviceaccount=shop:robot')
    const robot = ['-n', 'shop', '--as=system:serviceaccount:shop:robot']
    assert.equal(await run('auth', 'can-i', 'get', 'configmaps', ...robot), 'yes\n')
    assert.equal((await shell.try('auth', 'can-i', 'delete', 'configmaps', ...robot)).out, 'no\n')
    // `create token` came with 1.24.
    if (minor >= 24) assert.match(await run('create', 'token', 'robot', '-n', 'shop'), /^\S+\.\S+\.\S+\s*$/)
    assert.match(await run('get', 'all', '-A'), /^$/)
    await run('delete', 'namespace', 'shop')
    assert.match((await shell.try('get', 'namespace', 'shop')).err, /namespaces "shop" not found/)
  })

  test('approves a certificate request, which is then signed', async () => {
    await run('create', '-f', shell.file('request.json', certificateRequestManifest('agent')), ...unchecked)
    assert.match(await run('certificate', 'approve', 'agent'), /approved/)
    await server.idle()
    assert.match(await run('get', 'csr', 'agent'), /Approved,Issued/)
  })
}
