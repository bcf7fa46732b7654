import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger, systemClock, systemRandom } from '@godwit/ports'
import { hasPostgres, newPostgresSchema } from '../../../scripts/testing/databases.ts'
import type { SiteConfig } from './config/load.ts'
import { keyRing, newKeyText } from './secrets/key-ring.ts'
import { type Service, startService } from './service.ts'

const admin = { user: 'admin', password: 'admin-secret', project: 'admin', roles: ['admin'] }

function configFor(database: SiteConfig['database'], seal = keyRing(newKeyText())): SiteConfig {
  return {
    site: { uuid: '5a3f9c1e-0000-4000-8000-00000000000a', name: 'site-a', softwareVersion: '24.09' },
    network: {
      managementSubnet: '192.168.204.0/24',
      managementPool: { start: '192.168.204.2', end: '192.168.204.50' },
      managementAddress: '192.168.204.2',
      oamSubnet: '10.10.10.0/24',
      oamAddress: '10.10.10.2',
    },
    database,
    seal,
    api: { host: '127.0.0.1', port: 0, trustsUserAgent: false },
    probes: { host: '127.0.0.1', port: 0 },
    auth: { kind: 'embedded', tokenKey: 'k'.repeat(32), users: [admin] },
    subclouds: { auditMs: 40_000, executor: { kind: 'simulated', url: 'http://127.0.0.1:1', credentials: 'c' } },
    failover: {
      holdDownMs: 300_000,
      most: { groups: 1, subclouds: 100 },
      sysadminPassword: undefined,
      secondPaths: {},
    },
    work: { leaseSeconds: 15, pollSeconds: 1 },
    logLevel: 'info',
  }
}

async function started(t: TestContext, config: SiteConfig, holder: string): Promise<Service> {
  const ports = { clock: systemClock, random: systemRandom, logger: silentLogger, host: 'here', holder }
  const service = await startService(config, ports)
  t.after(() => service.stop())
  return service
}

async function clientOf({ url }: Service) {
  const identity = { methods: ['password'], password: { user: { name: 'admin', password: 'admin-secret' } } }
  const login = await fetch(`${url}/v3/auth/tokens`, { method: 'POST', body: JSON.stringify({ auth: { identity } }) })
  const token = login.headers.get('x-subject-token') ?? ''
  return async (service: Service, method: string, path: string, body?: unknown) => {
    const headers = { 'x-auth-token': token, 'content-type': 'application/json' }
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    return (await (await fetch(`${service.url}/v1.0${path}`, init)).json()) as Readonly<Record<string, unknown>>
  }
}

function inFile(t: TestContext): SiteConfig['database'] {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-service-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return { kind: 'sqlite', path: join(folder, 'site.db') }
}

async function twoReplicas(t: TestContext, database: SiteConfig['database']): Promise<void> {
  const config = configFor(database)
  const [one, two] = await Promise.all([started(t, config, 'one'), started(t, config, 'two')])
  assert.deepEqual([await one.notReady(), await two.notReady()], [undefined, undefined])
  const call = await clientOf(one)
  await call(one, 'POST', '/subcloud-peer-groups', { 'peer-group-name': 'group-1' })
  // The token of one is good at the other, and what one wrote the other one reads.
  const read = await call(two, 'GET', '/subcloud-peer-groups/group-1')
  assert.equal(read['peer_group_name'], 'group-1')
  assert.match(await two.metrics(), /godwit_sites_group_migrating\{peer_group_name="group-1"\} 0/)
  await one.stop()
  assert.equal(await one.notReady(), 'stopping')
  assert.equal(await two.notReady(), undefined)
}

test('two replicas on one file are one site', t => twoReplicas(t, inFile(t)))

if (hasPostgres)
  test('two replicas on one Postgres are one site', async t =>
    twoReplicas(t, { kind: 'postgres', url: await newPostgresSchema(), connections: 4 }))

test('behind a proxy the catalog names the address of the proxy', async t => {
  const config = configFor(inFile(t))
  const publicUrl = 'https://a.example.com:8119'
  const { url } = await started(t, { ...config, api: { ...config.api, publicUrl } }, 'one')
  const identity = { methods: ['password'], password: { user: { name: 'admin', password: 'admin-secret' } } }
  const login = await fetch(`${url}/v3/auth/tokens`, { method: 'POST', body: JSON.stringify({ auth: { identity } }) })
  assert.match(await login.text(), /"url":"https:\/\/a\.example\.com:8119\/v1\.0"/)
})

test('a service that cannot start leaves nothing open', async t => {
  const database = inFile(t)
  const first = await started(t, configFor(database), 'one')
  await assert.rejects(started(t, configFor(database), 'two'), { code: 'SecretsKey' })
  const port = Number(new URL(first.url).port)
  const taken = configFor(inFile(t))
  await assert.rejects(started(t, { ...taken, api: { ...taken.api, port } }, 'three'), { code: 'EADDRINUSE' })
})
