/** A site's API on a port of its own, and a client that speaks as the command line does. */
import type { TestContext } from 'node:test'
import { type Logger, seededRandom, silentLogger, VirtualClock } from '@godwit/ports'
import { migrateSchema, wakingDatabase } from '@godwit/store'
import { anyDatabase } from '../../../scripts/testing/databases.ts'
import { EmbeddedKeystone, type EmbeddedUser } from '../src/auth/embedded-keystone.ts'
import { ownIdentities } from '../src/auth/identities.ts'
import { Tokens } from '../src/auth/tokens.ts'
import { startSitesServer } from '../src/http/server.ts'
import { type SiteApiOptions, siteApi } from '../src/http/site-api.ts'
import type { PeerSite } from '../src/peer/peer-site.ts'
import type { Site } from '../src/site.ts'
import { sitesSchema } from '../src/state/schema.ts'

const user = (name: string, roles: readonly string[], project = 'admin'): EmbeddedUser => ({
  user: name,
  password: `${name}-secret`,
  project,
  roles,
})
export const PEER_UUID = 'ac62f555-9386-42f1-a047-93b7a5d2c7e2'
export const SITE_UUID = '5a3f9c1e-0000-4000-8000-00000000000a'
const USERS = [
  user('admin', ['admin']),
  user('viewer', ['reader']),
  user('keeper', ['operator']),
  user('stranger', ['admin'], 'other'),
  { ...user('peer', ['admin']), peerUuid: PEER_UUID },
]

export const NETWORK = {
  managementSubnet: '192.168.204.0/24',
  managementPool: { start: '192.168.204.2', end: '192.168.204.50' },
  managementAddress: '192.168.204.2',
  oamSubnet: '10.10.10.0/24',
  oamAddress: '10.10.10.2',
}

const unreachable = () => Promise.reject(new Error('there is no such site'))

/** Any call of the other site fails, but those that are given. */
export const fakePeer = (calls: Partial<PeerSite> = {}): PeerSite =>
  new Proxy(calls, { get: (target, name) => Reflect.get(target, name) ?? unreachable }) as PeerSite

export type Api = Awaited<ReturnType<typeof startApi>>

export async function startApi(
  t: TestContext,
  { logger = silentLogger, ...options }: Partial<SiteApiOptions> & { readonly logger?: Logger } = {},
) {
  const clock = new VirtualClock()
  const database = wakingDatabase(await anyDatabase(t, clock))
  await migrateSchema(database, sitesSchema)
  const tokens = new Tokens({ key: 'k'.repeat(32), clock })
  const site: Site = {
    identity: { uuid: SITE_UUID, name: 'site-a' },
    network: NETWORK,
    softwareVersion: '24.09',
    database,
    clock,
    random: seededRandom(1),
    logger,
  }
  const exchange = siteApi({
    site,
    peerSite: () => fakePeer(),
    // There is no worker that deletes, and time stands still.
    deletionWaitMs: 0,
    regionReader: { regionOf: unreachable },
    identities: ownIdentities(tokens),
    keystone: new EmbeddedKeystone(USERS, tokens),
    ...options,
  })
  const server = await startSitesServer({ exchange, logger, port: 0 })
  t.after(() => server.stop())
  const login = (name: string, password = `${name}-secret`, project = 'admin') =>
    fetch(`${server.url}/v3/auth/tokens`, {
      method: 'POST',
      body: JSON.stringify({
        auth: {
          identity: {
            methods: ['password'],
            password: { user: { name, password, domain: { name: 'Default' } } },
          },
          scope: { project: { name: project, domain: { name: 'Default' } } },
        },
      }),
    })
  const tokenOf = async (name: string, project?: string) =>
    (await login(name, undefined, project)).headers.get('x-subject-token') ?? ''
  const admin = await tokenOf('admin')
  const call = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${server.url}/v1.0${path}`, {
      method,
      headers: {
        'x-auth-token': admin,
        accept: '*/*',
        ...(body instanceof FormData ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body) }),
    })
  return { clock, site, database, url: server.url, exchange, login, tokenOf, call }
}
