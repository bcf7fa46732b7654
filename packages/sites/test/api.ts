/** A site's API on a port of its own, and a client that speaks as the command line does. */
import type { TestContext } from 'node:test'
import { silentLogger, VirtualClock } from '@godwit/ports'
import { migrateSchema, openSqlite } from '@godwit/store'
import { EmbeddedKeystone, type EmbeddedUser } from '../src/auth/embedded-keystone.ts'
import { Tokens } from '../src/auth/tokens.ts'
import { startSitesServer } from '../src/http/server.ts'
import { systemPeerRoutes } from '../src/peer/routes.ts'
import { sitesSchema } from '../src/state/schema.ts'
import { subcloudGroupRoutes } from '../src/subcloud-group/routes.ts'

const user = (name: string, roles: readonly string[], project = 'admin'): EmbeddedUser => ({
  user: name,
  password: `${name}-secret`,
  project,
  roles,
})
const USERS = [
  user('admin', ['admin']),
  user('viewer', ['reader']),
  user('keeper', ['operator']),
  user('stranger', ['admin'], 'other'),
]

export async function startApi(t: TestContext) {
  const clock = new VirtualClock()
  const database = openSqlite({ path: ':memory:', clock })
  await migrateSchema(database, sitesSchema)
  const tokens = new Tokens({ key: 'k'.repeat(32), clock })
  const keystone = new EmbeddedKeystone(USERS, tokens)
  const options = {
    database,
    routes: [...systemPeerRoutes, ...subcloudGroupRoutes],
    tokens,
    keystone,
    logger: silentLogger,
    port: 0,
  }
  const server = await startSitesServer(options)
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
      headers: { 'x-auth-token': admin, accept: '*/*', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return { clock, url: server.url, login, tokenOf, call }
}
