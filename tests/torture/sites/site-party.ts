/** One site whose process can be killed at each of its writes and is started again; its database stays. */
import type { Clock, Fields, Logger, Random, VirtualClock } from '@godwit/ports'
import { type CrashTime, ProcessClock, ProcessGate } from '@godwit/simulation'
import {
  associationWorker,
  availabilityWorker,
  EmbeddedKeystone,
  failoverWorker,
  type HttpAnswer,
  type HttpExchange,
  type HttpRequest,
  ownIdentities,
  peerMonitor,
  peerSites,
  rehomeWorkers,
  SimulatedExecutor,
  SimulatedProbe,
  type Site,
  type SiteIdentity,
  siteApi,
  Tokens,
  wakeAllSubclouds,
} from '@godwit/sites'
import { type Database, openSqlite, type Sql, type WakingDatabase, wakingDatabase } from '@godwit/store'

export interface SiteSettings {
  readonly identity: SiteIdentity
  /** Host name in addresses. */
  readonly host: string
  /** Third byte of its networks. */
  readonly subnet: number
  /** By which subclouds know it. */
  readonly credentials: string
  /** Of the other site, whose user logs in here. */
  readonly peerUuid: string
}

export interface SitePartyOptions {
  readonly settings: SiteSettings
  readonly clock: VirtualClock
  readonly random: Random
  /** To the other site. */
  readonly toPeer: HttpExchange
  readonly toSubclouds: HttpExchange
  /** On another way than the network between the sites. */
  readonly isPeerAlive: () => boolean
  readonly onTraffic: () => void
  readonly onLog?: (line: string) => void
}

interface Life {
  readonly gate: ProcessGate
  readonly api: HttpExchange
  /** Rejects when the process dies. */
  readonly death: Promise<never>
}

/** Of every subcloud. */
export const PASSWORD = 'sysadmin-pw'
export const PEER_USER = { user: 'peer', password: 'peer-secret' }
const TOKEN_KEY = 'a key that both replicas of a site would share'
const RESTART_MS = 5_000
/** Whoever wakes a worker is in the same process: looking for work of others is not needed. */
const POLL_MS = 10 * 60_000
const LEASE_MS = 15_000
const AUDIT_MS = 90_000
const HOLD_DOWN_MS = 60_000
/** Of a playbook that hangs. */
const RUN_LIMIT_MS = 8 * 60_000

/** The process dies in the middle of a transaction: nothing of it was written. */
class Died extends Error {}

export class SiteParty {
  readonly settings: SiteSettings
  readonly database: Database
  /** Added to the time of the world: the clocks of two sites differ. */
  offsetMs = 0
  /** Transactions that wrote, and requests to others that change something, over all lives. */
  writes = 0
  /** Grows whenever a row may have changed. */
  revision = 0
  crashes = 0
  readonly #options: SitePartyOptions
  readonly #clock: Clock
  readonly #waking: WakingDatabase
  readonly #deaths = new Map<number, CrashTime>()
  #life: Life | undefined
  #lives = 0
  #isDown = true

  constructor(options: SitePartyOptions) {
    const { settings, clock } = options
    this.#options = options
    this.settings = settings
    this.#clock = { now: () => clock.now() + this.offsetMs, after: (delayMs, run) => clock.after(delayMs, run) }
    this.database = openSqlite({ path: ':memory:', clock: this.#clock })
    this.#waking = wakingDatabase(this.database)
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  start(): void {
    this.#isDown = false
    if (!this.#life) this.#begin()
  }

  /** Dies, and is not started again. */
  stop(): void {
    this.#isDown = true
    this.#kill()
  }

  /** Dies, and is started again in a while. */
  crash(): void {
    if (!this.#life) return
    this.crashes++
    this.#kill()
    this.#options.clock.after(RESTART_MS, () => {
      if (!this.#isDown && !this.#life) this.#begin()
    })
  }

  crashAt(write: number, when: CrashTime): void {
    this.#deaths.set(write, when)
  }

  /** Deaths that have not come yet do not come. */
  spare(): void {
    this.#deaths.clear()
  }

  /** What comes over the network, or from an operator. @throws Error when nobody answers */
  async receive(request: HttpRequest): Promise<HttpAnswer> {
    const life = this.#life
    if (!life) throw new Error('connection refused')
    this.#options.onTraffic()
    try {
      return await Promise.race([life.api(request), life.death])
    } finally {
      this.#options.onTraffic()
    }
  }

  /** Of an operator, without a login. */
  token(): string {
    const tokens = new Tokens({ key: TOKEN_KEY, clock: this.#clock })
    return tokens.issue({ user: 'admin', project: 'admin', roles: ['admin'] }).token
  }

  #kill(): void {
    const life = this.#life
    this.#life = undefined
    life?.gate.kill()
  }

  #begin(): void {
    const gate = new ProcessGate()
    const site = this.#site(gate)
    const { settings, toPeer, toSubclouds, isPeerAlive } = this.#options
    const peerSite = peerSites({ clock: site.clock, exchange: this.#gated(gate, toPeer), requestTimeoutMs: 10_000 })
    const shared = { site, peerSite, holder: `life-${++this.#lives}`, leaseMs: LEASE_MS, pollMs: POLL_MS }
    const simulated = {
      exchange: this.#gated(gate, toSubclouds),
      url: 'http://simulator',
      site: { uuid: settings.identity.uuid, credentials: settings.credentials, softwareVersion: site.softwareVersion },
    }
    const moving = {
      ...shared,
      probe: new SimulatedProbe(simulated),
      executor: new SimulatedExecutor({ ...simulated, clock: site.clock, totalLimitMs: RUN_LIMIT_MS }),
    }
    const failover = {
      secondPaths: () => [async () => (isPeerAlive() ? ('alive' as const) : ('lost' as const))],
      sysadminPassword: PASSWORD,
      holdDownMs: HOLD_DOWN_MS,
    }
    const workers = [
      peerMonitor(shared),
      failoverWorker({ ...shared, ...failover }),
      associationWorker(shared),
      ...rehomeWorkers(moving),
      availabilityWorker({ ...moving, auditMs: AUDIT_MS, adoptionMs: 5_000 }),
    ]
    const tokens = new Tokens({ key: TOKEN_KEY, clock: this.#clock })
    const peer = { ...PEER_USER, project: 'admin', roles: ['admin'], peerUuid: settings.peerUuid }
    const api = siteApi({
      site,
      peerSite,
      regionReader: { regionOf: () => Promise.reject(new Error('there is no such subcloud')) },
      identities: ownIdentities(tokens),
      keystone: new EmbeddedKeystone([peer], tokens),
    })
    const death = new Promise<never>((_, reject) => {
      gate.killed.addEventListener('abort', () => reject(new Error('connection reset')))
    })
    death.catch(() => undefined)
    this.#life = { gate, api, death }
    void site.database.transaction(wakeAllSubclouds).then(() => {
      for (const worker of workers) worker.start()
    })
  }

  #site(gate: ProcessGate): Site {
    const { settings, random } = this.#options
    const { subnet } = settings
    return {
      identity: settings.identity,
      network: {
        managementSubnet: `10.8.${subnet}.0/24`,
        managementPool: { start: `10.8.${subnet}.2`, end: `10.8.${subnet}.50` },
        managementAddress: `10.8.${subnet}.2`,
        oamSubnet: `10.9.${subnet}.0/24`,
        oamAddress: `10.9.${subnet}.2`,
      },
      softwareVersion: '24.09',
      database: this.#gatedDatabase(gate),
      clock: new ProcessClock(this.#clock, gate),
      random,
      logger: this.#logger(),
    }
  }

  #gatedDatabase(gate: ProcessGate): WakingDatabase {
    return {
      transaction: work => this.#alive(gate, () => this.#transaction(gate, work)),
      close: async () => undefined,
      onWake: (queue, listener) => this.#waking.onWake(queue, () => gate.enter(listener)),
    }
  }

  async #transaction<T>(gate: ProcessGate, work: (sql: Sql) => Promise<T>): Promise<T> {
    let death: CrashTime | undefined
    let hasWritten = false
    const onWrite = () => {
      if (!hasWritten) death = this.#nextDeath()
      hasWritten = true
      this.revision++
      if (death === 'before') throw new Died()
    }
    try {
      const result = await this.#waking.transaction(async sql => {
        const done = await work(watched(sql, onWrite))
        // Whoever worked may have caught it.
        if (death === 'before') throw new Died()
        return done
      })
      if (hasWritten) this.revision++
      if (death === 'after') await this.#die(gate)
      return result
    } catch (error) {
      if (death !== undefined) await this.#die(gate)
      throw error
    }
  }

  #gated(gate: ProcessGate, exchange: HttpExchange): HttpExchange {
    return (request, signal) =>
      this.#alive(gate, async () => {
        const death = request.method === 'GET' ? undefined : this.#nextDeath()
        if (death === 'before') await this.#die(gate)
        const result = exchange(request, signal)
        if (death === 'after') {
          await result.catch(() => undefined)
          await this.#die(gate)
        }
        return await result
      })
  }

  /** A process that has died is never answered. */
  async #alive<T>(gate: ProcessGate, happen: () => Promise<T>): Promise<T> {
    await gate.entered()
    this.#options.onTraffic()
    try {
      return await happen()
    } finally {
      this.#options.onTraffic()
      await gate.entered()
    }
  }

  #nextDeath(): CrashTime | undefined {
    this.writes++
    return this.#deaths.get(this.writes)
  }

  #die(gate: ProcessGate): Promise<never> {
    if (this.#life?.gate === gate) this.crash()
    return new Promise(() => undefined)
  }

  #logger(): Logger {
    const { onLog, settings, clock } = this.#options
    if (!onLog) return silent
    const line = (level: string) => (fields: Fields, message: string) =>
      onLog(`${clock.now() % 100_000_000} ${settings.host} ${level} ${message} ${JSON.stringify(fields)}`)
    return { debug: () => undefined, info: line('info'), warn: line('warn'), error: line('error') }
  }
}

const nothing = () => undefined
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** Leases of work are the store's own: they are there so that whoever dies with them is followed. */
const isOfDomain = (text: string) =>
  !/^\s*select/i.test(text) && !/^\s*(?:update|insert into|delete from) work\b/i.test(text)

const watched = (sql: Sql, onWrite: () => void): Sql => ({
  ...sql,
  all: async (text, values) => {
    if (isOfDomain(text)) onWrite()
    return await sql.all(text, values)
  },
  run: async (text, values) => {
    if (isOfDomain(text)) onWrite()
    return await sql.run(text, values)
  },
})
