/** Two whole sites in one process, with their own databases, that reach each other through their own APIs. */
import { after } from 'node:test'
import { nextTurn, seededRandom, silentLogger, sleep, systemClock, systemRandom, VirtualClock } from '@godwit/ports'
import {
  type Database,
  finishWork,
  insertRow,
  type Lease,
  migrateSchema,
  nextDueMs,
  openPostgres,
  openSqlite,
  type Row,
  type Sql,
  selectRows,
  takeWork,
  wakingDatabase,
} from '@godwit/store'
import { newPostgresSchema } from '../../../scripts/testing/databases.ts'
import { AssociationWorker } from '../src/association/worker.ts'
import { EmbeddedKeystone } from '../src/auth/embedded-keystone.ts'
import { ownIdentities } from '../src/auth/identities.ts'
import { Tokens } from '../src/auth/tokens.ts'
import type { HttpAnswer, HttpExchange, HttpRequest } from '../src/http/exchange.ts'
import { siteApi } from '../src/http/site-api.ts'
import { PeerMonitor } from '../src/peer/monitor.ts'
import { peerSites } from '../src/peer/peer-client.ts'
import { QUEUES, type Site } from '../src/site.ts'
import { sitesSchema } from '../src/state/schema.ts'
import { base64, payloadOf, subcloudRow } from './fixture.ts'

export const UUIDS = { a: '5a3f9c1e-0000-4000-8000-00000000000a', b: 'ac62f555-9386-42f1-a047-93b7a5d2c7e2' } as const
export type SiteName = keyof typeof UUIDS
const SUBNETS = { a: '192.168.204', b: '192.168.205' } as const
const QUEUED = [QUEUES.peer, QUEUES.association]
const LEASE_MS = 15_000
const BEAT_MS = 60_000

/** Thrown where a process dies: nothing of it happens any more. */
class Died extends Error {
  override readonly name = 'Died'
}

export class LinkedSite {
  readonly name: SiteName
  readonly site: Site
  readonly api: HttpExchange
  /** Requests of the other site that came here, without logins. */
  readonly asked: { readonly method: string; readonly path: string }[] = []
  isDown = false
  /** Requests that match are refused with 400. */
  refuses: RegExp | undefined
  latencyMs = 0
  /** Of what a process does: transactions and requests; it dies at that one. */
  events = 0
  diesAt: number | undefined
  #isDead = false
  #life = 0
  #monitor: PeerMonitor
  #associations: AssociationWorker
  readonly #exchange: HttpExchange

  constructor(name: SiteName, site: Site, exchange: HttpExchange) {
    this.name = name
    this.site = site
    this.#exchange = exchange
    const tokens = new Tokens({ key: name.repeat(32), clock: site.clock })
    const other = name === 'a' ? 'b' : 'a'
    const users = ['operator', 'peer'].map(user => ({
      user,
      password: `${user}-secret`,
      project: 'admin',
      roles: ['admin'],
      ...(user === 'peer' && { peerUuid: UUIDS[other] }),
    }))
    this.api = siteApi({
      site,
      peerSite: peerSites({ clock: site.clock, exchange }),
      regionReader: { regionOf: () => Promise.reject(new Error('no subcloud can be reached')) },
      identities: ownIdentities(tokens),
      keystone: new EmbeddedKeystone(users, tokens),
    })
    const ports = this.#ports()
    this.#monitor = new PeerMonitor(ports)
    this.#associations = new AssociationWorker(ports)
    this.operatorToken = tokens.issue({ user: 'operator', project: 'admin', roles: ['admin'] }).token
  }

  readonly operatorToken: string

  #ports() {
    const event = async <T>(happen: () => Promise<T>): Promise<T> => {
      if (this.#isDead) throw new Died()
      if (++this.events === this.diesAt) {
        this.#isDead = true
        // Half of the deaths are before it happens, half after it.
        if (this.events % 2 === 0) await happen()
        throw new Died()
      }
      return await happen()
    }
    const { database } = this.site
    const gated: Site['database'] = { ...database, transaction: work => event(() => database.transaction(work)) }
    const exchange: HttpExchange = (request, signal) => event(() => this.#exchange(request, signal))
    return { site: { ...this.site, database: gated }, peerSite: peerSites({ clock: this.site.clock, exchange }) }
  }

  /** Everything that is due now. @returns how much there was */
  async work(): Promise<number> {
    if (this.isDown) return 0
    if (this.#isDead) this.#restart()
    let count = 0
    for (const queue of QUEUED)
      for (const lease of await this.#take(queue)) {
        count++
        await this.#perform(lease)
      }
    return count
  }

  /** When something is due next; infinite when nothing is, or nobody is there to do it. */
  async dueMs(): Promise<number> {
    if (this.isDown) return Number.POSITIVE_INFINITY
    const dues = await this.write(sql => Promise.all(QUEUED.map(queue => nextDueMs(sql, queue))))
    return Math.min(...dues.map(due => due ?? Number.POSITIVE_INFINITY))
  }

  #restart(): void {
    this.#isDead = false
    this.#life++
    const ports = this.#ports()
    this.#monitor = new PeerMonitor(ports)
    this.#associations = new AssociationWorker(ports)
  }

  #take(queue: string): Promise<readonly Lease[]> {
    const taking = { queue, holder: `${this.name}-${this.#life}`, leaseMs: LEASE_MS, limit: 10 }
    return this.site.database.transaction(sql => takeWork(sql, taking))
  }

  async #perform(lease: Lease): Promise<void> {
    const { signal } = new AbortController()
    let again: number | undefined
    try {
      again =
        lease.queue === QUEUES.peer
          ? await this.#monitor.perform(Number(lease.key))
          : await this.#associations.perform(Number(lease.key), signal)
    } catch (error) {
      if (this.#isDead) return
      if (!(error instanceof Error && ['Retryable', 'PeerUnreachable', 'PeerRefused'].includes(error.name))) throw error
      again = 500
    }
    if (!this.#isDead) await this.site.database.transaction(sql => finishWork(sql, lease, again))
  }

  /** As an operator. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await this.api({
      method,
      url: `http://${this.name}/v1.0${path}`,
      headers: { 'x-auth-token': this.operatorToken, accept: 'application/json', 'content-type': 'application/json' },
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    })
    return { status: answer.status, body: JSON.parse(Buffer.from(answer.body).toString()) ?? {} }
  }

  write = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => this.site.database.transaction(work)
  rows = (table: string, where: Row = {}) => this.write(sql => selectRows(sql, table, where))
  row = async (table: string, where: Row = { id: 1 }): Promise<Row> => (await this.rows(table, where))[0] ?? {}
  sync = async () => String((await this.row('peer_group_association'))['sync_status'])
  message = async () => (await this.row('peer_group_association'))['sync_message'] ?? null
  leader = async () => (await this.row('subcloud_peer_group'))['system_leader_id']
  alarms = async () => (await this.rows('alarm')).map(row => `${row['alarm_id']} ${row['severity']} ${row['entity']}`)
  /** Name, deploy status, management state; by name, as copies are made in any order. */
  members = async () =>
    (await this.rows('subcloud'))
      .map(row => [row['name'], row['deploy_status'], row['management_state']].join(' '))
      .sort()

  async edit(name: string, columns: Row): Promise<void> {
    await this.write(async sql => {
      const [row] = await selectRows(sql, 'subcloud', { name })
      for (const [column, value] of Object.entries(columns))
        await sql.run(`update subcloud set ${column} = ?, version = version + 1 where id = ?`, [
          value,
          row?.['id'] ?? 0,
        ])
    })
  }
}

export class LinkedSites {
  readonly clock: VirtualClock
  readonly a: LinkedSite
  readonly b: LinkedSite

  constructor(clock: VirtualClock, a: LinkedSite, b: LinkedSite) {
    this.clock = clock
    this.a = a
    this.b = b
  }

  other = (site: LinkedSite) => (site === this.a ? this.b : this.a)

  /** Lets both work, and so much time go by. */
  async settle(byMs = 20_000): Promise<void> {
    const endMs = this.clock.now() + byMs
    for (;;) {
      for (let turn = 0; (await this.a.work()) + (await this.b.work()) > 0; turn++)
        if (turn > 50) throw new Error('the sites wake each other without end')
      const dueMs = Math.min(await this.a.dueMs(), await this.b.dueMs())
      if (dueMs > endMs) break
      this.clock.advance(Math.max(1, dueMs - this.clock.now()))
    }
    this.clock.advance(endMs - this.clock.now())
  }

  /** A call that waits until the workers have done something. */
  async whileWorking<Result>(call: Promise<Result>): Promise<Result> {
    let isAnswered = false
    const answered = call.finally(() => {
      isAnswered = true
    })
    await this.settle()
    while (!isAnswered) {
      this.clock.advance(100)
      await this.settle(0)
      await nextTurn()
    }
    return await answered
  }

  async beats(count: number): Promise<void> {
    for (let beat = 0; beat < count; beat++) {
      await this.settle()
      this.clock.advance(BEAT_MS - 20_000)
    }
    await this.settle()
  }
}

export interface LinkedOptions {
  readonly members?: number
  /** Peers, group and members, and no association yet. */
  readonly isAssociated?: boolean
}

/** Common set-up P: peers both ways, a group on A with members, and an association that both call in-sync. */
export async function linkedSites({ members = 3, isAssociated = true }: LinkedOptions = {}): Promise<LinkedSites> {
  const clock = new VirtualClock()
  const reach: Record<SiteName, LinkedSite | undefined> = { a: undefined, b: undefined }
  const exchangeTo =
    (name: SiteName): HttpExchange =>
    async request =>
      await carried(reach[name], request, clock)
  const a = await siteOf('a', clock, exchangeTo('b'))
  const b = await siteOf('b', clock, exchangeTo('a'))
  Object.assign(reach, { a, b })
  const sites = new LinkedSites(clock, a, b)
  await prepare(sites, members)
  if (!isAssociated) return sites
  await associate(sites)
  return sites
}

export async function associate({ a, ...sites }: LinkedSites): Promise<void> {
  await a.call('POST', '/peer-group-associations', { peer_group_id: 1, system_peer_id: 1, peer_group_priority: 1 })
  await new LinkedSites(sites.clock, a, sites.b).settle()
}

async function carried(to: LinkedSite | undefined, request: HttpRequest, clock: VirtualClock): Promise<HttpAnswer> {
  if (!to || to.isDown) throw new Error('connection refused')
  const path = new URL(request.url).pathname
  if (!path.startsWith('/v3')) to.asked.push({ method: request.method, path })
  if (to.latencyMs > 0) await sleep(clock, to.latencyMs)
  const call = `${request.method} ${path}`
  if (to.refuses?.test(call))
    return { status: 400, headers: {}, body: Buffer.from(JSON.stringify({ message: 'refused by the test' })) }
  return await to.api(request)
}

async function siteOf(name: SiteName, clock: VirtualClock, exchange: HttpExchange): Promise<LinkedSite> {
  const database = wakingDatabase(await newDatabase(clock))
  await migrateSchema(database, sitesSchema)
  const subnet = SUBNETS[name]
  const site: Site = {
    identity: { uuid: UUIDS[name], name: `site-${name}` },
    network: {
      managementSubnet: `${subnet}.0/24`,
      managementPool: { start: `${subnet}.2`, end: `${subnet}.50` },
      managementAddress: `${subnet}.2`,
      oamSubnet: '10.10.10.0/24',
      oamAddress: '10.10.10.2',
    },
    softwareVersion: '24.09',
    database,
    clock,
    random: seededRandom(name === 'a' ? 1 : 2),
    logger: silentLogger,
  }
  return new LinkedSite(name, site, exchange)
}

/** In memory, or what GODWIT_TEST_DATABASE=postgres asks for. */
async function newDatabase(clock: VirtualClock): Promise<Database> {
  if (process.env['GODWIT_TEST_DATABASE'] !== 'postgres') return openSqlite({ path: ':memory:', clock })
  const url = await newPostgresSchema()
  const database = openPostgres({ url, clock: systemClock, random: systemRandom, time: clock, connections: 2 })
  after(() => database.close())
  return database
}

async function prepare({ a, b }: LinkedSites, members: number): Promise<void> {
  for (const [site, other] of [
    [a, 'b'],
    [b, 'a'],
  ] as const)
    await site.call('POST', '/system-peers', {
      peer_uuid: UUIDS[other],
      peer_name: `site-${other}`,
      manager_endpoint: `http://${other}/v3`,
      manager_username: 'peer',
      manager_password: base64('peer-secret'),
      peer_controller_gateway_address: `${SUBNETS[other]}.101`,
    })
  await a.call('POST', '/subcloud-peer-groups', { 'peer-group-name': 'g' })
  await a.write(async sql => {
    for (let number = 1; number <= members; number++) await insertRow(sql, 'subcloud', memberRow(number))
  })
}

/** Complete, managed and online on site A, with everything that a rehome needs. */
export const memberRow = (number: number): Row => {
  const block = `10.${20 + Math.floor(number / 250)}.${number % 250}`
  return {
    ...subcloudRow(number),
    management_subnet: `${block}.0/24`,
    management_gateway_ip: `${block}.1`,
    management_start_ip: `${block}.2`,
    management_end_ip: `${block}.50`,
    rehome_data: JSON.stringify({
      saved_payload: {
        ...payloadOf(number % 250),
        name: `s${number}`,
        management_subnet: `${block}.0/24`,
        management_start_address: `${block}.2`,
        management_end_address: `${block}.50`,
        management_gateway_address: `${block}.1`,
      },
    }),
    peer_group_id: 1,
    values_version: JSON.stringify({ [UUIDS.a]: 1 }),
  }
}
