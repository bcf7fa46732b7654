import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { newKeyText } from '../secrets/key-ring.ts'
import { CONFIG_HINTS } from './hints.ts'
import { loadConfig } from './load.ts'
import { configSchema } from './schema.ts'

const PASSWORD = 'Correct-Horse-1*'
const good = {
  site: { uuid: '11111111-1111-1111-1111-111111111111', name: 'site-a', softwareVersion: '24.09' },
  network: {
    managementSubnet: '192.168.204.0/24',
    managementPool: { start: '192.168.204.2', end: '192.168.204.50' },
    managementAddress: '192.168.204.2',
    oamSubnet: '10.10.10.0/24',
    oamAddress: '10.10.10.2',
  },
  database: { sqlite: 'site.db' },
  secretsKeyFile: 'secrets.key',
  auth: {
    embedded: {
      tokenKeyFile: 'token.key',
      users: [{ user: 'admin', passwordFile: 'admin.password', roles: ['admin'] }],
    },
  },
  subclouds: { simulated: { url: 'http://127.0.0.1:9', credentials: 'c' } },
}

function setUp(t: TestContext, config: unknown, files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const all = {
    'secrets.key': newKeyText(),
    'token.key': 'k'.repeat(32),
    'admin.password': `${PASSWORD}\n`,
    'site.yaml': typeof config === 'string' ? config : stringify(config),
    ...files,
  }
  for (const [name, content] of Object.entries(all)) writeFileSync(join(folder, name), content)
  return { folder, load: () => loadConfig(join(folder, 'site.yaml')) }
}

function mistakesOf(t: TestContext, config: unknown, files?: Readonly<Record<string, string>>): string {
  const { load, folder } = setUp(t, config, files)
  try {
    load()
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'Configuration', String(error))
    return error.message.replaceAll(folder, '')
  }
  return assert.fail('it was accepted')
}

test('a file is read with its defaults, in YAML or JSON, and files that it names are beside it', t => {
  for (const text of [stringify(good), JSON.stringify(good)]) {
    const { load, folder } = setUp(t, text)
    const config = load()
    assert.deepEqual(config.database, { kind: 'sqlite', path: join(folder, 'site.db') })
    assert.deepEqual(config.api, { host: '127.0.0.1', port: 8119, trustsUserAgent: false })
    const admin = { user: 'admin', password: PASSWORD, project: 'admin', roles: ['admin'] }
    assert.deepEqual(config.auth, { kind: 'embedded', tokenKey: 'k'.repeat(32), users: [admin] })
    assert.equal(config.subclouds.auditMs, 40_000)
    assert.equal(config.seal.open('proof', config.seal.seal('proof', 'x')), 'x')
  }
})

test('a keystone that others run is logged in at with a password from a file', t => {
  const peers = { 'site-b': '22222222-2222-4222-8222-222222222222' }
  const login = { url: 'http://10.0.0.1:5000/v3', username: 'godwit' }
  const { load } = setUp(t, { ...good, auth: { keystone: { ...login, passwordFile: 'admin.password', peers } } })
  assert.deepEqual(load().auth, { kind: 'keystone', ...login, password: PASSWORD, project: 'services', peers })
})

test('each mistake says which key, why, and what the key is for', t => {
  assert.equal(
    mistakesOf(t, { ...good, site: { ...good.site, uuid: 'me' }, api: { port: 70_000 } }),
    [
      `/site.yaml: site.uuid: must be a UUID. ${CONFIG_HINTS['site.uuid']}`,
      `/site.yaml: api.port: Too big: expected number to be <=65535. ${CONFIG_HINTS['api.port']}`,
    ].join('\n'),
  )
})

test('what is missing, unknown, or there twice is told as such', t => {
  const { site: _, ...withoutSite } = good
  assert.match(mistakesOf(t, withoutSite), /^\/site\.yaml: site: is missing\. Which site this is\.$/)
  assert.match(mistakesOf(t, { ...good, databse: {} }), /databse: there is no such key; there are site, network, /)
  assert.match(
    mistakesOf(t, { ...good, api: { prot: 1 } }),
    /api\.prot: there is no such key; there are host, port, publicUrl, trustsUserAgent$/,
  )
  assert.match(
    mistakesOf(t, { ...good, database: { sqlite: 'a', postgres: 'postgres://x' } }),
    /database: needs exactly one of sqlite, postgres, postgresFile\. Where the state is/,
  )
  assert.match(mistakesOf(t, { ...good, subclouds: {} }), /subclouds: needs exactly one of ansible, simulated/)
  assert.match(mistakesOf(t, ''), /the whole file: expected object/)
  assert.match(mistakesOf(t, 'a: [1'), /is neither YAML nor JSON: /)
})

test('files that are missing or wrong are told all at once, without a word of what is in them', t => {
  const files = { 'token.key': 'TooShortASecret', 'secrets.key': 'NoKeyAtAll', 'admin.password': '' }
  const message = mistakesOf(t, good, files)
  assert.deepEqual(
    message.split('\n').map(line => line.split('. ')[0]),
    [
      '/site.yaml: secretsKeyFile: /secrets.key: line 1 of the key file is not 32 bytes in base64',
      '/site.yaml: auth.embedded.tokenKeyFile: /token.key: it needs at least 32 characters',
      '/site.yaml: auth.embedded.users.0.passwordFile: /admin.password: it is empty',
    ],
  )
  assert.doesNotMatch(message, /TooShort|NoKey/)
  assert.match(mistakesOf(t, { ...good, secretsKeyFile: 'none' }), /secretsKeyFile: \/none: there is no such file/)
  assert.throws(() => loadConfig('/nowhere/site.yaml'), /cannot read the configuration file .* there is no such file/)
})

test('every key has its hint, and every hint its key', () => {
  assert.deepEqual(Object.keys(CONFIG_HINTS).sort(), keysOf(configSchema, '').sort())
})

function keysOf(schema: z.ZodType, path: string): string[] {
  const inner = unwrapped(schema)
  const own = path === '' ? [] : [path]
  if (inner.def.type !== 'object') return own
  const shape = (inner as z.ZodObject).shape as Readonly<Record<string, z.ZodType>>
  return [
    ...own,
    ...Object.entries(shape).flatMap(([key, child]) => keysOf(child, path === '' ? key : `${path}.${key}`)),
  ]
}

function unwrapped(schema: z.ZodType): z.ZodType {
  const { def } = schema as unknown as {
    readonly def: { readonly innerType?: z.ZodType; readonly element?: z.ZodType }
  }
  const next = def.innerType ?? def.element
  return next ? unwrapped(next) : schema
}
