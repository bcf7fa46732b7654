/** Two sites, the line between them, and subclouds that the first one has taken in. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep, systemClock } from '@godwit/ports'
import { SimulatedSubclouds, type SimulatorExchange, startSubcloudServer, subcloudApi } from '@godwit/simulation'
import { type Json, peerPassword, SiteProcess } from './site-process.ts'
import { type SlowLine, slowLine } from './slow-line.ts'

const SYSADMIN_PASSWORD = 'Sysadmin-1*'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const AT_ONCE = 16
const LOOK_MS = 50
/** Looking costs what is measured. */
const LOOK_AT_LEISURE_MS = 250
const LIMIT_MS = 600_000
const GROUP = 'group'

export interface TwoSitesOptions {
  readonly subclouds: number
  readonly latencyMs: number
  /** `max-subcloud-rehoming` of the group. */
  readonly width: number
}

interface Parts {
  readonly sites: readonly [SiteProcess, SiteProcess]
  readonly subclouds: SimulatedSubclouds
  readonly options: TwoSitesOptions
  readonly lines: readonly SlowLine[]
  readonly playbooks: ReadonlyMap<string, number>
  readonly end: () => Promise<void>
}

export class TwoSites {
  readonly a: SiteProcess
  readonly b: SiteProcess
  readonly #subclouds: SimulatedSubclouds
  readonly #options: TwoSitesOptions
  readonly #lines: readonly SlowLine[]
  readonly #playbooks: ReadonlyMap<string, number>
  readonly #end: () => Promise<void>

  private constructor({ sites, subclouds, options, lines, playbooks, end }: Parts) {
    this.a = sites[0]
    this.b = sites[1]
    this.#subclouds = subclouds
    this.#options = options
    this.#lines = lines
    this.#playbooks = playbooks
    this.#end = end
  }

  static async start(options: TwoSitesOptions): Promise<TwoSites> {
    const folder = mkdtempSync(join(tmpdir(), 'godwit-bench-'))
    const subclouds = new SimulatedSubclouds(systemClock)
    const playbooks = new Map<string, number>()
    const simulator = await startSubcloudServer(timed(subcloudApi(subclouds, systemClock), subclouds, playbooks))
    const first = { uuid: randomUUID(), name: 'site-a', subnet: '192.168.204' }
    const second = { uuid: randomUUID(), name: 'site-b', subnet: '192.168.205' }
    const a = await SiteProcess.start(first, second, folder, simulator.url)
    const b = await SiteProcess.start(second, first, folder, simulator.url)
    const lines = [await slowLine(a.url, options.latencyMs), await slowLine(b.url, options.latencyMs)] as const
    const end = async () => {
      await Promise.all([a.stop(), b.stop()])
      for (const line of lines) line.close()
      await simulator.stop()
      rmSync(folder, { recursive: true, force: true })
    }
    const sites = new TwoSites({ sites: [a, b], subclouds, options, lines, playbooks, end })
    await acquaint(a, b, lines[1])
    await acquaint(b, a, lines[0])
    await sites.#takeIn()
    return sites
  }

  /** @returns how long it took until both called the copies equal, in milliseconds */
  async sync(): Promise<number> {
    const startedAt = performance.now()
    await this.a.call('POST', '/peer-group-associations', {
      peer_group_id: 1,
      system_peer_id: 1,
      peer_group_priority: 1,
    })
    await until('the copies to be equal', async () => {
      const [association] = await this.a.list('/peer-group-associations')
      if (association?.['sync-status'] === 'failed') throw new Error(JSON.stringify(association))
      return association?.['sync-status'] === 'in-sync'
    })
    return performance.now() - startedAt
  }

  /** Site B takes all of them in. @returns from the request until the operation had ended, as it says, in milliseconds */
  async migrate(playbookMs: number): Promise<number> {
    for (let number = 1; number <= this.#options.subclouds; number++)
      this.#subclouds.turn(regionOf(number), { stepMs: playbookMs / PLAYBOOK_STEPS })
    const startedMs = systemClock.now()
    const answer = await this.b.call('PATCH', `/subcloud-peer-groups/${GROUP}/migrate`, {
      sysadmin_password: base64(SYSADMIN_PASSWORD),
    })
    let ended: Json = {}
    const hasEnded = async () => {
      const status = await this.b.call('GET', `/subcloud-peer-groups/${GROUP}/status`)
      if (status['managed'] !== this.#options.subclouds && status['rehome_failed'] === 0) return false
      ended = await this.b.call('GET', `/operations/${answer['operation_id']}`)
      return ended['outcome'] !== null
    }
    await until('the end of the migration', hasEnded, LOOK_AT_LEISURE_MS)
    if (ended['outcome'] !== 'complete') throw new Error(`the migration ended ${ended['outcome']}`)
    return Date.parse(String(ended['ended_at'])) - startedMs
  }

  /** Between the sites, so far. */
  get requests(): number {
    return this.#lines.reduce((sum, line) => sum + line.requests, 0)
  }

  /** How long the simulated playbook of a run has taken; its timers are late when this process is busy. */
  playbookMs(runId: string): number {
    return this.#playbooks.get(runId) ?? Number.NaN
  }

  stop(): Promise<void> {
    return this.#end()
  }

  async #takeIn(): Promise<void> {
    const { subclouds, width } = this.#options
    await this.a.call('POST', '/subcloud-peer-groups', { 'peer-group-name': GROUP, 'max-subcloud-rehoming': width })
    const numbers = Array.from({ length: subclouds }, (_, index) => index + 1)
    await each(numbers, async number => {
      this.#subclouds.add({
        region: regionOf(number),
        name: nameOf(number),
        bootstrapAddress: `${oamOf(number)}.2`,
        sysadminPassword: SYSADMIN_PASSWORD,
        release: '24.09',
        home: { site: 'factory', credentials: '' },
        knobs: { stepMs: 0 },
      })
      await this.a.call('POST', '/subclouds', newSubcloud(number, `${this.a.identity.subnet}.101`))
    })
    await until('all subclouds to be online', async () => {
      const all = await this.a.list('/subclouds')
      return all.every(subcloud => subcloud['availability-status'] === 'online')
    })
    await each(numbers, async number => {
      for (const change of [{ 'management-state': 'managed' }, { peer_group: GROUP }])
        await this.a.call('PATCH', `/subclouds/${nameOf(number)}`, formOf(change))
    })
  }
}

/** Notes how long each run takes, by its id. */
function timed(
  exchange: SimulatorExchange,
  subclouds: SimulatedSubclouds,
  playbooks: Map<string, number>,
): SimulatorExchange {
  return (request, signal) => {
    const answer = exchange(request, signal)
    if (request.method !== 'POST' || !/\/runs(\?|$)/.test(request.url)) return answer
    const startedAt = performance.now()
    const { runId } = JSON.parse(Buffer.from(request.body ?? []).toString()) as { readonly runId: string }
    void subclouds.ended(runId).then(() => playbooks.set(runId, performance.now() - startedAt))
    return answer
  }
}

const PLAYBOOK_STEPS = 12
const nameOf = (number: number) => `subcloud-${number}`
const regionOf = (number: number) => number.toString(16).padStart(32, '0')
const placeOf = (number: number) => `${number >> 8}.${number & 255}`
const oamOf = (number: number) => `172.${16 + (number >> 8)}.${number & 255}`

function newSubcloud(number: number, gateway: string): FormData {
  const management = `10.${placeOf(number)}`
  const oam = oamOf(number)
  const values = {
    name: nameOf(number),
    system_mode: 'simplex',
    management_subnet: `${management}.0/24`,
    management_start_address: `${management}.2`,
    management_end_address: `${management}.50`,
    management_gateway_address: `${management}.1`,
    systemcontroller_gateway_address: gateway,
    external_oam_subnet: `${oam}.0/24`,
    external_oam_gateway_address: `${oam}.1`,
    external_oam_floating_address: `${oam}.2`,
  }
  const form = formOf({
    name: nameOf(number),
    'bootstrap-address': `${oam}.2`,
    sysadmin_password: base64(SYSADMIN_PASSWORD),
    migrate: 'true',
  })
  form.append('bootstrap_values', new File([JSON.stringify(values)], 'values.yml'))
  return form
}

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return form
}

async function acquaint(here: SiteProcess, there: SiteProcess, line: SlowLine): Promise<void> {
  await here.call('POST', '/system-peers', {
    peer_uuid: there.identity.uuid,
    peer_name: there.identity.name,
    manager_endpoint: `${line.url}/v3`,
    manager_username: 'peer',
    manager_password: peerPassword,
    peer_controller_gateway_address: `${there.identity.subnet}.101`,
    heartbeat_interval: 10,
  })
}

async function until(what: string, holds: () => Promise<boolean>, lookMs = LOOK_MS): Promise<void> {
  for (let waitedMs = 0; !(await holds()); waitedMs += lookMs) {
    if (waitedMs > LIMIT_MS) throw new Error(`${what} did not come`)
    await sleep(systemClock, lookMs)
  }
}

async function each(numbers: readonly number[], work: (number: number) => Promise<void>): Promise<void> {
  const left = [...numbers]
  const hand = async () => {
    for (let number = left.shift(); number !== undefined; number = left.shift()) await work(number)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, hand))
}
