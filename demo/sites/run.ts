/** The demo of sites: a day on which everything goes wrong, told by the subclouds themselves at the end. */
import { sleep, systemClock } from '@godwit/ports'
import { type HomeChange, type Ownership, ownershipOf } from './owners.ts'
import { ApiError, type Json, type SiteClient } from './site-client.ts'
import {
  base64,
  type DemoSubcloud,
  demoSubcloud,
  FACTORY,
  SYSADMIN_PASSWORD,
  simulated,
  WRONG_ADDRESS,
} from './subclouds.ts'
import { type DatabaseConfig, type DemoSite, HEARTBEAT_S, type SitesWorld, startSitesWorld } from './world.ts'

export interface SitesDemoResult {
  readonly items: number
  /** Subclouds that are at home at the end, managed there and nowhere else. */
  readonly home: number
  readonly seconds: number
  /** Sites that were killed with SIGKILL. */
  readonly kills: number
  readonly owners: readonly Ownership[]
  /** Promises that did not hold; a demo with any has failed. */
  readonly violations: readonly string[]
}

export interface SitesDemoOptions {
  readonly items: number
  readonly log: (line: string) => void
  /** Of site A and of site B; files unless told. */
  readonly databases?: readonly DatabaseConfig[]
}

export interface FinishedSites {
  readonly result: SitesDemoResult
  readonly world: SitesWorld
  stop(): Promise<void>
}

const GROUP = 'group-1'
const WIDTH = 10
const AT_ONCE = 8
const LIMIT_MS = 120_000
const LOOK_EVERY_MS = 100

export async function runSitesDemo(options: SitesDemoOptions): Promise<FinishedSites> {
  const problems: string[] = []
  const world = await startSitesWorld(text => {
    problems.push(text)
    options.log(`problem: ${text}`)
  }, options.databases)
  try {
    const result = await new Demo(world, options).run()
    return { result: { ...result, violations: [...result.violations, ...problems] }, world, stop: () => world.stop() }
  } catch (error) {
    await world.stop()
    throw error
  }
}

class Demo {
  readonly #world: SitesWorld
  readonly #log: (line: string) => void
  readonly #subclouds: readonly DemoSubcloud[]
  readonly #startMs = systemClock.now()
  #kills = 0

  constructor(world: SitesWorld, { items, log }: SitesDemoOptions) {
    this.#world = world
    this.#subclouds = Array.from({ length: items }, (_, index) => demoSubcloud(index, `${world.a.identity.subnet}.101`))
    this.#log = line => log(`${this.#seconds().toFixed(1).padStart(5)} s  ${line}`)
  }

  async run(): Promise<SitesDemoResult> {
    const { a, b } = this.#world
    const [onA, onB] = [await a.client(), await b.client()]
    await this.#acquaint()
    await this.#adopt(onA)
    const wrong = await this.#group(onA)
    await this.#associate(onA, onB)
    await this.#loseA(onB)
    await this.#migrateInPieces(onB)
    await this.#correct(onB, wrong)
    await this.#bringBack(onA, onB, wrong)
    await this.#goHome(onA, onB)
    return await this.#sumUp(onA, onB)
  }

  /** Each knows the other by a credential that only it has. */
  async #acquaint(): Promise<void> {
    const { a, b } = this.#world
    for (const [here, there] of [
      [a, b],
      [b, a],
    ] as const)
      await (await here.client()).post('/system-peers', {
        peer_uuid: there.identity.uuid,
        peer_name: there.identity.name,
        manager_endpoint: `${there.url}/v3`,
        manager_username: here.identity.name,
        manager_password: base64(there.peerPassword),
        peer_controller_gateway_address: `${there.identity.subnet}.101`,
        heartbeat_interval: HEARTBEAT_S,
        heartbeat_failure_threshold: 1,
      })
  }

  async #adopt(onA: SiteClient): Promise<void> {
    await this.#each(async subcloud => {
      await this.#simulator('POST', '/subclouds', simulated(subcloud))
      await onA.sendForm('POST', '/subclouds', {
        fields: {
          name: subcloud.name,
          'bootstrap-address': subcloud.bootstrapAddress,
          sysadmin_password: base64(SYSADMIN_PASSWORD),
          migrate: 'true',
        },
        files: { bootstrap_values: JSON.stringify(subcloud.values) },
      })
    })
    const isThere = ({ 'deploy-status': status, 'availability-status': availability }: Json) =>
      status === 'complete' && availability === 'online'
    await this.#until('every subcloud is online on site A', async () => (await onA.list('/subclouds')).every(isThere))
    await this.#each(({ name }) => onA.patch(`/subclouds/${name}`, { 'management-state': 'managed' }))
    this.#log(`site A has taken in ${this.#subclouds.length} subclouds, and manages them`)
  }

  /** @returns the subcloud whose bootstrap address is wrong from now on */
  async #group(onA: SiteClient): Promise<DemoSubcloud> {
    await onA.post('/subcloud-peer-groups', { 'peer-group-name': GROUP, 'max-subcloud-rehoming': WIDTH })
    const wrong = this.#subclouds[Math.floor(this.#subclouds.length / 5)]
    if (!wrong) throw new Error('there is a subcloud')
    await this.#each(subcloud =>
      onA.patch(`/subclouds/${subcloud.name}`, {
        peer_group: GROUP,
        ...(subcloud === wrong && { bootstrap_address: WRONG_ADDRESS }),
      }),
    )
    this.#log(`all of them are in ${GROUP}; the bootstrap address of ${wrong.name} is mistyped: ${WRONG_ADDRESS}`)
    return wrong
  }

  async #associate(onA: SiteClient, onB: SiteClient): Promise<void> {
    const [group, peer] = [
      await onA.get(`/subcloud-peer-groups/${GROUP}`),
      await onA.get(`/system-peers/${this.#world.b.identity.uuid}`),
    ]
    await onA.post('/peer-group-associations', {
      peer_group_id: group['id'],
      system_peer_id: peer['id'],
      peer_group_priority: 1,
    })
    await this.#until('both sites say in-sync', () => this.#areInSync(onA, onB))
    this.#log(`site B has copies of ${(await this.#members(onB)).length} subclouds, in sync`)
  }

  async #loseA(onB: SiteClient): Promise<void> {
    await this.#kill(this.#world.a)
    await this.#until('site B finds site A unavailable', async () => {
      const peer = await onB.get(`/system-peers/${this.#world.a.identity.uuid}`)
      return peer['availability-state'] === 'unavailable'
    })
    for (const { alarm_id: id, severity, reason_text: text } of await onB.list('/alarms'))
      this.#log(`alarm on site B: ${String(id)} ${String(severity)}: ${String(text).split('\n')[0]}`)
  }

  /** The service of site B dies in the middle of its batch, and finds everything again. */
  async #migrateInPieces(onB: SiteClient): Promise<void> {
    const operation = await this.#migrate(onB)
    await this.#until('a part has moved', async () => {
      const { complete = 0 } = await this.#progress(onB, operation)
      return complete >= this.#subclouds.length / 4
    })
    const { complete, under_way: running } = await this.#progress(onB, operation)
    this.#log(`site B has moved ${complete}, ${running} are under way`)
    await this.#kill(this.#world.b)
    await this.#world.b.start()
    this.#log('site B is started again')
    await this.#ended(onB, operation, 'partly-failed')
  }

  /** Where somebody is alive a wrong value can be corrected, and nothing else can be changed. */
  async #correct(onB: SiteClient, wrong: DemoSubcloud): Promise<void> {
    const { 'deploy-status': status } = await onB.get(`/subclouds/${wrong.name}`)
    this.#log(`${wrong.name} is ${String(status)} on site B`)
    const refused = await refusal(() => onB.patch(`/subclouds/${wrong.name}`, { description: 'on site B' }))
    this.#log(`its description cannot be changed there: ${refused}`)
    await onB.patch(`/subclouds/${wrong.name}`, { bootstrap_address: wrong.bootstrapAddress })
    this.#log(`its bootstrap address is corrected on site B: ${wrong.bootstrapAddress}`)
    await this.#ended(onB, await this.#migrate(onB), 'complete')
  }

  async #bringBack(onA: SiteClient, onB: SiteClient, wrong: DemoSubcloud): Promise<void> {
    await this.#world.a.start()
    this.#log('site A is started again')
    await this.#until('site A has stood down', async () =>
      (await this.#members(onA)).every(
        member => member['deploy-status'] === 'secondary' && member['management-state'] === 'unmanaged',
      ),
    )
    await this.#until('both sites say in-sync', () => this.#areInSync(onA, onB))
    const { rehome_data: kept } = await onA.get(`/subclouds/${wrong.name}`)
    this.#log(`site A has stood down by its own audit, and has the address of ${wrong.name}: ${addressIn(kept)}`)
    if (addressIn(kept) !== wrong.bootstrapAddress) throw new Error('the correction did not come home')
  }

  async #goHome(onA: SiteClient, onB: SiteClient): Promise<void> {
    await this.#until('site A finds site B available', async () => {
      const peer = await onA.get(`/system-peers/${this.#world.b.identity.uuid}`)
      return peer['availability-state'] === 'available'
    })
    await this.#ended(onA, await this.#migrate(onA), 'complete')
    await this.#until('site B has stood down', async () =>
      (await this.#members(onB)).every(
        member => member['deploy-status'] === 'secondary' && member['management-state'] === 'unmanaged',
      ),
    )
    await this.#until('both sites say in-sync', () => this.#areInSync(onA, onB))
    await this.#until('nobody is migrating', async () =>
      (await Promise.all([onA, onB].map(site => site.get(`/subcloud-peer-groups/${GROUP}`)))).every(
        group => group['migration_status'] === null && group['system_leader_id'] === this.#world.a.identity.uuid,
      ),
    )
  }

  async #sumUp(onA: SiteClient, onB: SiteClient): Promise<SitesDemoResult> {
    const { a, b } = this.#world
    const told = await this.#simulator('GET', '/history')
    const history = told['history'] as readonly HomeChange[]
    const wanted = [FACTORY, a.identity.uuid, b.identity.uuid, a.identity.uuid].join(' ')
    const moment = { startMs: this.#startMs, first: FACTORY }
    const owners = this.#subclouds.map(subcloud => ownershipOf(subcloud, history, moment))
    const [managedByA, managedByB] = [await managed(onA), await managed(onB)]
    const isHome = ({ name, owners: own, most }: Ownership) =>
      most === 1 && own.at(-1)?.owner === a.identity.uuid && managedByA.has(name) && !managedByB.has(name)
    return {
      items: this.#subclouds.length,
      home: owners.filter(isHome).length,
      seconds: this.#seconds(),
      kills: this.#kills,
      owners,
      violations: [
        ...(told['violations'] as readonly string[]),
        ...owners.filter(({ most }) => most !== 1).map(({ name }) => `${name} had more than one owner at once`),
        ...owners
          .filter(({ owners: own }) => own.map(({ owner }) => owner).join(' ') !== wanted)
          .map(({ name }) => `${name} went another way than to A, to B and home`),
        ...owners.filter(each => !isHome(each)).map(({ name }) => `${name} is not at home`),
      ],
    }
  }

  async #migrate(site: SiteClient): Promise<string> {
    const answer = await site.patch(`/subcloud-peer-groups/${GROUP}/migrate`, {
      sysadmin_password: base64(SYSADMIN_PASSWORD),
    })
    const picked = answer['subclouds'] as readonly Json[]
    this.#log(`migrate: ${picked.length} subclouds, operation ${String(answer['operation_id'])}`)
    return String(answer['operation_id'])
  }

  async #progress(site: SiteClient, operation: string): Promise<Readonly<Record<string, number>>> {
    return (await site.get(`/operations/${operation}`))['progress'] as Readonly<Record<string, number>>
  }

  async #ended(site: SiteClient, operation: string, outcome: string): Promise<void> {
    await this.#until(`operation ${operation} has ended`, async () => {
      const { outcome: found } = await site.get(`/operations/${operation}`)
      if (found !== null && found !== outcome) throw new Error(`it ended with ${String(found)}, not with ${outcome}`)
      return found === outcome
    })
    const { complete, failed } = await this.#progress(site, operation)
    this.#log(`the operation has ended: ${complete} moved, ${failed} failed`)
  }

  async #kill(site: DemoSite): Promise<void> {
    this.#kills++
    await site.end('SIGKILL')
    this.#log(`kill -9 of ${site.identity.name}`)
  }

  async #areInSync(...sites: readonly SiteClient[]): Promise<boolean> {
    const found = await Promise.all(sites.map(site => site.list('/peer-group-associations')))
    return found.every(([association]) => association?.['sync-status'] === 'in-sync')
  }

  #members = (site: SiteClient) => site.list(`/subcloud-peer-groups/${GROUP}/subclouds`)

  #seconds = () => Math.round((systemClock.now() - this.#startMs) / 100) / 10

  async #each(work: (subcloud: DemoSubcloud) => Promise<unknown>): Promise<void> {
    const left = [...this.#subclouds]
    const line = async () => {
      for (let next = left.shift(); next; next = left.shift()) await work(next)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, line))
  }

  async #simulator(method: string, path: string, body?: unknown): Promise<Json> {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) }
    return (await (await fetch(`${this.#world.simulatorUrl}${path}`, init)).json()) as Json
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = systemClock.now() + LIMIT_MS
    while (!(await isSo())) {
      if (systemClock.now() > deadline) throw new Error(`not within ${LIMIT_MS / 1000} s: ${what}`)
      await sleep(systemClock, LOOK_EVERY_MS)
    }
  }
}

const managed = async (site: SiteClient) =>
  new Set(
    (await site.list('/subclouds')).flatMap(({ name, 'management-state': state }) =>
      state === 'managed' ? [String(name)] : [],
    ),
  )

async function refusal(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask()
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.message}`
    throw error
  }
  throw new Error('it was allowed')
}

function addressIn(rehomeData: unknown): string {
  const { saved_payload: payload } = (rehomeData ?? {}) as { readonly saved_payload?: Json }
  return String(payload?.['bootstrap-address'])
}
