import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../bin/godwit.mjs', import.meta.url))
const patience = { timeout: 60_000 }
const godwit = (...args: string[]) => spawnSync(process.execPath, [program, 'sites', ...args], { encoding: 'utf8' })

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-sites-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function configIn(folder: string, more: object = {}): string {
  const config = {
    site: { uuid: '5a3f9c1e-0000-4000-8000-00000000000a', name: 'site-a', softwareVersion: '24.09' },
    network: {
      managementSubnet: '192.168.204.0/24',
      managementPool: { start: '192.168.204.2', end: '192.168.204.50' },
      managementAddress: '192.168.204.2',
      oamSubnet: '10.10.10.0/24',
      oamAddress: '10.10.10.2',
    },
    database: { sqlite: 'site.db' },
    secretsKeyFile: 'secrets.key',
    api: { port: 0 },
    probes: { port: 0 },
    auth: {
      embedded: {
        tokenKeyFile: 'token.key',
        users: [{ user: 'admin', passwordFile: 'admin.password', roles: ['admin'] }],
      },
    },
    subclouds: { simulated: { url: 'http://127.0.0.1:1', credentials: 'c' } },
    ...more,
  }
  const path = join(folder, 'site.json')
  writeFileSync(path, JSON.stringify(config))
  writeFileSync(join(folder, 'token.key'), 'k'.repeat(32))
  writeFileSync(join(folder, 'admin.password'), 'pw')
  return path
}

test('a key is for its owner only, and is never written over', patience, t => {
  const path = join(folderFor(t), 'secrets.key')
  assert.equal(godwit('key', '--out', path).status, 0)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const before = readFileSync(path, 'utf8')
  const again = godwit('key', '--out', path)
  assert.equal(again.status, 1)
  assert.match(again.stderr, /EEXIST/)
  assert.equal(readFileSync(path, 'utf8'), before)
})

test('a configuration with mistakes is told line by line, and nothing is started', patience, t => {
  const config = configIn(folderFor(t), { api: { port: 'many' } })
  for (const command of ['check', 'serve']) {
    const { status, stderr } = godwit(command, '--config', config)
    assert.equal(status, 1)
    assert.match(stderr, /api\.port: expected number, received string\. Port to listen on/)
  }
})

test(
  'a site that is served says that it lives and is ready, counts, and ends when it is told to',
  patience,
  async t => {
    const folder = folderFor(t)
    const config = configIn(folder)
    godwit('key', '--out', join(folder, 'secrets.key'))
    assert.match(godwit('check', '--config', config).stdout, /is complete/)
    const child = spawn(process.execPath, [program, 'sites', 'serve', '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    const exit = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    const [line] = (await once(lines, 'line')) as [string]
    const { url, probePort } = JSON.parse(line) as { readonly url: string; readonly probePort: number }
    const probe = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${probePort}${path}`)
      return [answer.status, await answer.text()] as const
    }
    assert.deepEqual(await probe('/healthz'), [200, 'ok\n'])
    assert.deepEqual(await probe('/readyz'), [200, 'ok\n'])
    assert.match((await probe('/metrics'))[1], /^# TYPE godwit_sites_subclouds gauge$/m)
    assert.equal((await fetch(`${url}/v1.0/subclouds`)).status, 401)
    const taken = configIn(folder, { probes: { port: probePort } })
    const second = godwit('serve', '--config', taken)
    assert.equal(second.status, 1)
    assert.match(second.stderr, /EADDRINUSE/)
    const env = { ...process.env, OS_AUTH_URL: `${url}/v3`, OS_USERNAME: 'admin', OS_PASSWORD: 'pw' }
    const asked = spawn(process.execPath, [program, 'sites', 'status'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const shown = (await asked.stdout.toArray()).join('')
    assert.match(shown, /^Peers\n {2}none\n\nGroups\n {2}none\n/)
    child.kill('SIGTERM')
    assert.deepEqual(await exit, [0, null])
  },
)
