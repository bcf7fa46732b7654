/** One run of a random schedule: trouble, then calm, then an operator who brings everything home, then judgement. */
import { judge } from './judge.ts'
import { CALM } from './network.ts'
import { correctAddress, insist, migrate, setPolicy } from './operator.ts'
import { drawSchedule, type Incident, type Schedule, TROUBLE_MS } from './schedule.ts'
import { encoded, GROUP, nameOf, regionOf, rightAddress, WRONG_ADDRESS } from './set-up.ts'
import { PASSWORD, type SiteParty } from './site-party.ts'
import { type Images, SitesWorld } from './world.ts'

export interface SeedRun {
  readonly schedule: Schedule
  readonly failures: readonly string[]
  readonly crashes: number
  /** How often the network did something to a request. */
  readonly strikes: number
  readonly runs: number
  readonly log: readonly string[]
}

const LOOK_EVERY_MS = 2_000
const MAX_ROUNDS = 4

/** Repeats a run. */
export const seedCommandOf = (seed: number) => `npm run torture -- sites --seeds 1 --from ${seed}`

export async function runSeed(seed: number, images: Images): Promise<SeedRun> {
  const schedule = drawSchedule(seed)
  const log: string[] = []
  const world = await SitesWorld.begin(await images.of(schedule.setUp), { seed, onLog: line => log.push(line) })
  try {
    if (schedule.policy !== 'alarm') await setPolicy(world, schedule.policy)
    for (const [index, knobs] of schedule.knobs.entries()) world.subclouds.turn(regionOf(index + 1), knobs)
    for (const { site, write, when } of schedule.crashes) world.site(site).crashAt(write, when)
    const failures: string[] = []
    try {
      await new Trouble(world, schedule).happen()
      await calm(world, schedule)
      await bringHome(world, schedule)
    } catch (error) {
      failures.push(`the story came to no end: ${String(error).slice(0, 3_000)}`)
    }
    failures.push(...(await judge(world)).filter(failure => !isNobodysFault(failure)))
    return {
      schedule,
      failures,
      crashes: world.a.crashes + world.b.crashes,
      strikes: world.network.strikes,
      runs: world.subclouds.started.length,
      log,
    }
  } finally {
    await world.stop()
  }
}

/** Sites that do not see each other may both set out: who gives way is settled when they do. */
const isNobodysFault = (failure: string) => failure.startsWith('playbooks of two sites')

/** Whatever was wrong is mended; the clocks stay as they are. */
async function calm(world: SitesWorld, { setUp }: Schedule): Promise<void> {
  world.log('calm')
  world.network.isCut = false
  world.network.knobs = CALM
  for (const site of world.sites) {
    site.spare()
    site.start()
  }
  for (let number = 1; number <= setUp.members; number++)
    world.subclouds.turn(regionOf(number), {
      stepMs: 500,
      faults: [],
      onlineAfterMs: 0,
      isPoweredOn: true,
      unreachableFrom: [],
    })
  await world.until('all batches have ended', async () => {
    const { a, b } = await world.look()
    return [...a.batches, ...b.batches].every(({ outcome }) => outcome !== undefined)
  })
  await world.untilStill()
}

/** Everything to the primary site, as an operator does it who reads what is wrong. */
async function bringHome(world: SitesWorld, { setUp }: Schedule): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await migrate(world, world.a)
    await world.untilStill(90_000)
    for (let number = 1; number <= setUp.members; number++)
      await correctAddress(world, world.a, number, rightAddress(number))
    const { a, b } = await world.look()
    const isHome = a.members.length === setUp.members && a.members.every(({ isManaged }) => isManaged)
    const isAddressed = a.members.every(({ name, payload }) => payload['bootstrap-address'] === addressOf(name))
    if (isHome && isAddressed && !b.members.some(({ isManaged }) => isManaged)) break
  }
  await insist(world, world.a, 'PATCH', '/peer-group-associations/1/sync')
  await world.untilStill()
}

const addressOf = (name: string) => rightAddress(Number(name.slice(1)))

/** Lets the incidents of a schedule happen when they are due, and ends all of them. */
class Trouble {
  readonly #world: SitesWorld
  readonly #due: { readonly atMs: number; readonly incident: Incident }[]
  readonly #ends: { readonly atMs: number; readonly end: () => void }[] = []

  constructor(world: SitesWorld, { incidents }: Schedule) {
    this.#world = world
    this.#due = [...incidents]
  }

  async happen(): Promise<void> {
    const beginMs = this.#world.clock.now()
    for (;;) {
      const sinceMs = this.#world.clock.now() - beginMs
      while (this.#due[0] && this.#due[0].atMs <= sinceMs) {
        const next = this.#due.shift()
        if (next) await this.#begin(next.incident, sinceMs)
      }
      for (const [index, { atMs, end }] of [...this.#ends.entries()].reverse())
        if (atMs <= sinceMs) {
          end()
          this.#ends.splice(index, 1)
        }
      if (sinceMs >= TROUBLE_MS) return
      const nextMs = Math.min(TROUBLE_MS, ...[...this.#due, ...this.#ends].map(({ atMs }) => atMs))
      await this.#world.pass(Math.max(LOOK_EVERY_MS, nextMs - sinceMs))
    }
  }

  async #begin(incident: Incident, sinceMs: number): Promise<void> {
    const world = this.#world
    world.log(JSON.stringify(incident))
    const until = (forMs: number, end: () => void) => this.#ends.push({ atMs: sinceMs + forMs, end })
    switch (incident.kind) {
      case 'migrate':
        return await this.#migrate(world.site(incident.site))
      case 'cancel':
        return await this.#cancel(world.site(incident.site))
      case 'crash':
        return world.site(incident.site).crash()
      case 'down': {
        const site = world.site(incident.site)
        site.stop()
        until(incident.forMs, () => site.start())
        return
      }
      case 'cut':
        world.network.isCut = true
        until(incident.forMs, () => {
          world.network.isCut = false
        })
        return
      case 'network':
        world.network.knobs = incident.knobs
        until(incident.forMs, () => {
          world.network.knobs = CALM
        })
        return
      case 'step clock':
        world.site(incident.site).offsetMs += incident.byMs
        return
      case 'address':
        return await this.#edit(incident.site, incident.number, {
          bootstrap_address: incident.isRight ? rightAddress(incident.number) : WRONG_ADDRESS,
        })
      case 'describe':
        return await this.#edit(incident.site, incident.number, { description: incident.text })
      case 'power':
        world.subclouds.turn(regionOf(incident.number), { isPoweredOn: false })
        until(incident.forMs, () => world.subclouds.turn(regionOf(incident.number), { isPoweredOn: true }))
        return
      case 'unreachable': {
        const { uuid } = world.site(incident.site).settings.identity
        world.subclouds.turn(regionOf(incident.number), { unreachableFrom: [uuid] })
        until(incident.forMs, () => world.subclouds.turn(regionOf(incident.number), { unreachableFrom: [] }))
        return
      }
    }
  }

  /** Nobody waits for its end; what was accepted is followed to its end by the judge. */
  async #migrate(site: SiteParty): Promise<void> {
    const path = `/subcloud-peer-groups/${GROUP}/migrate`
    const answer = await this.#try(site, 'PATCH', path, { sysadmin_password: encoded(PASSWORD) })
    const id = answer?.['operation_id']
    if (typeof id === 'string') this.#world.accepted.push({ site, id })
  }

  async #cancel(site: SiteParty): Promise<void> {
    const last = this.#world.accepted.findLast(operation => operation.site === site)
    if (last) await this.#try(site, 'PATCH', `/operations/${last.id}/cancel`)
  }

  async #edit(id: 'a' | 'b', number: number, change: object): Promise<void> {
    await this.#try(this.#world.site(id), 'PATCH', `/subclouds/${nameOf(number)}`, change)
  }

  /** A site that is down, or says no, is left alone. */
  async #try(site: SiteParty, method: string, path: string, body?: unknown) {
    try {
      const answer = await this.#world.call(site, method, path, body)
      this.#world.log(`${method} ${path} on ${site.settings.host}: ${answer.status} ${answer.text.slice(0, 300)}`)
      return answer.status === 200 ? answer.body : undefined
    } catch (error) {
      this.#world.log(`${method} ${path} on ${site.settings.host}: ${String(error)}`)
      return undefined
    }
  }
}
