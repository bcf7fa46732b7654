/** One site with its real workers, simulated subclouds and another site that does as it is told, on a virtual clock. */
import { type Clock, seededRandom, silentLogger, VirtualClock } from '@godwit/ports'
import {
  type CrashTime,
  letTimePass,
  type NewSubcloud,
  ProcessClock,
  ProcessGate,
  SimulatedSubclouds,
  type SubcloudKnobs,
  subcloudApi,
} from '@godwit/simulation'
import { insertRow, migrateSchema, openSqlite, type Row, type Sql, selectRows } from '@godwit/store'
import { SimulatedProbe } from '../src/availability/simulated-probe.ts'
import { availabilityWorker, wakeAllSubclouds } from '../src/availability/worker.ts'
import { SimulatedExecutor } from '../src/executor/simulated-executor.ts'
import type { HttpExchange } from '../src/http/exchange.ts'
import { type Batch, type BatchMember, batchOf, memberOf } from '../src/rehome/batch-rows.ts'
import { beginBatch, cancelBatch } from '../src/rehome/new-batch.ts'
import { rehomeWorkers } from '../src/rehome/workers.ts'
import type { Site } from '../src/site.ts'
import { sitesSchema } from '../src/state/schema.ts'
import { rehomeDataColumn, type Subcloud, subcloudsWhere } from '../src/subcloud/rows.ts'
import { FakePeer } from './fake-peer.ts'

const MINUTE_MS = 60_000
const HERE = { uuid: 'site-b', credentials: 'secret-b', softwareVersion: '24.09' }
const THERE = { site: 'site-a', credentials: 'secret-a' }
const CREATED = '2026-01-01 00:00:00.000'

export interface RigOptions {
  readonly members?: number
  readonly width?: number
  /** False: a group without association. */
  readonly hasPeer?: boolean
  /** What the executor does to prepare; nothing unless told. */
  readonly prepare?: (name: string, clock: Clock) => Promise<void>
  readonly subcloud?: (number: number) => {
    readonly knobs?: Partial<SubcloudKnobs>
    readonly simulated?: Partial<NewSubcloud>
    readonly row?: Row
  }
}

export class RehomeRig {
  readonly clock = new VirtualClock()
  readonly subclouds = new SimulatedSubclouds(this.clock)
  readonly peer = new FakePeer()
  /** Of what happens, counted over all lives: transactions and calls of the processes. */
  events = 0
  crashes = 0
  readonly #inner = openSqlite({ path: ':memory:', clock: this.clock })
  readonly #lives = new Set<ProcessGate>()
  #crashAt: { readonly event: number; readonly when: CrashTime } | undefined
  #holder = 0
  #prepare: RigOptions['prepare']

  static async build({ members = 1, width = 10, hasPeer = true, prepare, subcloud }: RigOptions = {}) {
    const rig = new RehomeRig()
    rig.#prepare = prepare
    await migrateSchema(rig.#inner, sitesSchema)
    await rig.write(async sql => {
      await insertRow(sql, 'subcloud_peer_group', groupRow(width))
      if (hasPeer) {
        await insertRow(sql, 'system_peer', peerRow)
        await insertRow(sql, 'peer_group_association', associationRow)
      }
      for (let number = 1; number <= members; number++) {
        const { knobs = {}, simulated = {}, row = {} } = subcloud?.(number) ?? {}
        await insertRow(sql, 'subcloud', { ...subcloudRow(number), ...row })
        rig.subclouds.add({ ...simulatedOf(number), knobs, ...simulated })
        rig.peer.members.set(`r${number}`, {
          name: `s${number}`,
          deployStatus: 'complete',
          managementState: 'managed',
          ownerEpoch: 0,
        })
      }
    })
    rig.peer.onAudit = () => rig.#audit()
    return rig
  }

  /** Starts a process. Several may run at once. */
  start(): ProcessGate {
    const gate = new ProcessGate()
    this.#lives.add(gate)
    const site = this.#site(gate)
    const exchange = this.#gated(gate, subcloudApi(this.subclouds, this.clock))
    const shared = { exchange, url: 'http://simulator', site: HERE }
    const executor = new SimulatedExecutor({ ...shared, clock: site.clock })
    executor.prepare = async ({ name }) => await this.#prepare?.(name, site.clock)
    const ports = {
      site,
      probe: new SimulatedProbe(shared),
      executor,
      peerSite: () => this.peer.site(),
      holder: `life-${++this.#holder}`,
      pollMs: 10 * MINUTE_MS,
    }
    for (const worker of [...rehomeWorkers(ports), availabilityWorker(ports)]) worker.start()
    return gate
  }

  /** The process that runs dies at its event, and another one is started a second later. */
  crashAt(event: number, when: CrashTime): void {
    this.#crashAt = { event, when }
  }

  stop(): void {
    for (const life of this.#lives) life.kill()
  }

  write<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#inner.transaction(work)
  }

  /** Of all subclouds that may migrate, as the API picks them. */
  async migrate(operationId: string, names?: readonly string[]): Promise<void> {
    await this.#waking(async sql => {
      const all = await subcloudsWhere(sql, { peer_group_id: 1 })
      const picked = all.filter(({ name, deployStatus }) =>
        names ? names.includes(name) : ['secondary', 'rehome-failed', 'rehome-prep-failed'].includes(deployStatus),
      )
      const group = { id: 1, name: 'g' }
      await beginBatch(sql, { operationId, group, subclouds: picked, requestedBy: 'admin', sysadminPassword: 'pw' })
    })
  }

  /** As `subcloud add --migrate` does: one that is in no group. */
  async takeIn(operationId: string): Promise<void> {
    await this.#waking(async sql => {
      const subclouds = await subcloudsWhere(sql)
      await beginBatch(sql, { operationId, group: undefined, subclouds, requestedBy: 'admin', sysadminPassword: 'pw' })
    })
  }

  async cancel(): Promise<void> {
    await this.#waking(async sql => {
      const [row] = await selectRows(sql, 'batch', { ended_ms: null })
      if (row) await cancelBatch(sql, batchOf(row))
    })
  }

  /** As a process of the API does: what it wakes, the workers learn at once. */
  async #waking(work: (sql: Sql) => Promise<void>): Promise<void> {
    await this.#shared.transaction(work)
  }

  async pass(byMs: number, onStep?: () => boolean): Promise<void> {
    const idle = { isIdle: () => true, serversIdle: async () => undefined }
    await letTimePass({ clock: this.clock, traffic: () => this.events, ...idle }, byMs, onStep)
  }

  /** Lets time go by until the last batch has ended; throws after `limitMs`. */
  async passUntilEnded(limitMs = 3 * 60 * MINUTE_MS): Promise<Batch> {
    const endMs = this.clock.now() + limitMs
    for (;;) {
      const batch = await this.batch()
      if (batch.endedMs !== undefined) return batch
      if (this.clock.now() > endMs) throw new Error(`not ended: ${JSON.stringify([batch, await this.members()])}`)
      await this.pass(500)
    }
  }

  async batch(): Promise<Batch> {
    const [row] = await this.write(sql => sql.all('select * from batch order by id desc limit 1'))
    if (!row) throw new Error('there is no batch')
    return batchOf(row)
  }

  /** Of the last batch. */
  async members(): Promise<readonly BatchMember[]> {
    const { id } = await this.batch()
    return (await this.write(sql => selectRows(sql, 'batch_member', { batch_id: id }))).map(memberOf)
  }

  rows(): Promise<readonly Subcloud[]> {
    return this.write(sql => subcloudsWhere(sql))
  }

  async row(name = 's1'): Promise<Subcloud> {
    const [row] = await this.write(sql => subcloudsWhere(sql, { name }))
    if (!row) throw new Error(`there is no ${name}`)
    return row
  }

  group = async () => (await this.write(sql => selectRows(sql, 'subcloud_peer_group')))[0]
  alarms = async () =>
    (await this.write(sql => selectRows(sql, 'alarm'))).map(({ alarm_id: id, entity }) => `${id} ${entity}`)

  /** What the monitor of this site says. */
  async peerIs(state: 'available' | 'unavailable'): Promise<void> {
    await this.write(sql => sql.run('update system_peer set availability_state = ?, version = version + 1', [state]))
  }

  async wakeAll(): Promise<void> {
    await this.#waking(wakeAllSubclouds)
  }

  readonly #listeners = new Map<string, Set<() => void>>()
  /** One database for all processes, whose wakes reach all of them. */
  readonly #shared = {
    transaction: <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
      const woken = new Set<string>()
      const noting = (sql: Sql): Sql => ({
        ...sql,
        woke: queue => {
          woken.add(queue)
          sql.woke?.(queue)
        },
      })
      return this.#inner
        .transaction(sql => work(noting(sql)))
        .then(result => {
          for (const queue of woken) for (const listener of this.#listeners.get(queue) ?? []) listener()
          return result
        })
    },
    close: () => this.#inner.close(),
  }

  #site(gate: ProcessGate): Site {
    const database: Site['database'] = {
      transaction: work => this.#event(gate, () => this.#shared.transaction(work)),
      close: () => this.#inner.close(),
      onWake: (queue, listener) => {
        const gated = () => gate.enter(listener)
        const known = this.#listeners.get(queue) ?? new Set()
        this.#listeners.set(queue, known.add(gated))
        return () => known.delete(gated)
      },
    }
    return {
      identity: { uuid: HERE.uuid, name: 'b' },
      network: {
        managementSubnet: '10.8.0.0/24',
        managementPool: { start: '10.8.0.2', end: '10.8.0.50' },
        managementAddress: '10.8.0.2',
        oamSubnet: '10.9.0.0/24',
        oamAddress: '10.9.0.2',
      },
      softwareVersion: HERE.softwareVersion,
      database,
      clock: new ProcessClock(this.clock, gate),
      random: seededRandom(1),
      logger: silentLogger,
    }
  }

  #gated(gate: ProcessGate, exchange: HttpExchange): HttpExchange {
    return (request, signal) => this.#event(gate, () => exchange(request, signal))
  }

  /** A process that has died is never answered. */
  async #event<T>(gate: ProcessGate, happen: () => Promise<T>): Promise<T> {
    await gate.entered()
    this.events++
    const crash = this.events === this.#crashAt?.event ? this.#crashAt.when : undefined
    if (crash === 'before') await this.#die(gate)
    try {
      return await happen()
    } finally {
      if (crash === 'after') await this.#die(gate)
      await gate.entered()
    }
  }

  #die(gate: ProcessGate): Promise<never> {
    this.crashes++
    gate.kill()
    this.clock.after(1_000, () => void this.start())
    return new Promise(() => undefined)
  }

  /** Of the other site, with the rows of this one: its members follow what became of ours. */
  async #audit(): Promise<void> {
    for (const { region, deployStatus, managementState, ownerEpoch } of await this.rows()) {
      const member = this.peer.members.get(region)
      if (!member || member.ownerEpoch >= ownerEpoch) continue
      if (managementState === 'managed')
        Object.assign(member, { deployStatus: 'secondary', managementState: 'unmanaged' })
      else if (deployStatus.endsWith('-failed'))
        Object.assign(member, { deployStatus: 'rehome-failed', managementState: 'unmanaged' })
    }
  }
}

export const groupRow = (width: number): Row => ({
  peer_group_name: 'g',
  group_priority: 1,
  group_state: 'enabled',
  max_subcloud_rehoming: width,
  system_leader_id: 'site-a',
  system_leader_name: 'a',
  created_at: CREATED,
})

export const peerRow: Row = {
  peer_uuid: 'site-a',
  peer_name: 'a',
  manager_endpoint: 'http://a/v3',
  manager_username: 'admin',
  manager_password: 'pw',
  peer_controller_gateway_address: '10.8.0.1',
  administrative_state: 'enabled',
  heartbeat_interval: 60,
  heartbeat_failure_threshold: 3,
  heartbeat_failure_policy: 'alarm',
  heartbeat_maintenance_timeout: 600,
  availability_state: 'available',
  misses: 0,
  created_at: CREATED,
}

export const associationRow: Row = {
  peer_group_id: 1,
  system_peer_id: 1,
  association_type: 'non-primary',
  sync_status: 'in-sync',
  created_at: CREATED,
}

export const subcloudRow = (number: number): Row => ({
  name: `s${number}`,
  region_name: `r${number}`,
  description: '',
  location: '',
  software_version: '24.09',
  management_state: 'unmanaged',
  availability_status: 'offline',
  deploy_status: 'secondary',
  error_description: 'No errors present',
  management_subnet: `192.168.${number}.0/24`,
  management_gateway_ip: `192.168.${number}.1`,
  management_start_ip: `192.168.${number}.2`,
  management_end_ip: `192.168.${number}.50`,
  systemcontroller_gateway_ip: '10.8.0.1',
  external_oam_subnet_ip_family: '4',
  rehome_data: rehomeDataColumn({ name: `s${number}`, 'bootstrap-address': `10.0.0.${number}` }),
  group_id: 1,
  peer_group_id: 1,
  rehomed: 0,
  owner_epoch: 0,
  values_version: '{}',
  audit_fail_count: 0,
  created_at: CREATED,
})

export const simulatedOf = (number: number): NewSubcloud => ({
  region: `r${number}`,
  name: `s${number}`,
  bootstrapAddress: `10.0.0.${number}`,
  sysadminPassword: 'pw',
  release: '24.09',
  home: THERE,
})
