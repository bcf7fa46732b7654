/** One run of a random schedule, from an empty world to its judgement. */
import { resources } from '@godwit/kube'
import { Canaries } from './canaries.ts'
import { deleteNth, type End, editMigration, Strangers, withdrawRights } from './incidents.ts'
import { takeInventory } from './inventory.ts'
import { type EndState, hasEnded, judge } from './judge.ts'
import { CALM_AT_MS, drawSchedule, type Incident, type Schedule } from './schedule.ts'
import { Watchdog } from './watchdog.ts'
import { HubsWorld } from './world.ts'
import { BYSTANDER, PARTIES, SERVERS, type ServerName, userOf, type WorldImages } from './world-image.ts'

export interface SeedRun {
  readonly schedule: Schedule
  readonly state: EndState
  readonly failures: readonly string[]
  readonly tookMs: number
  readonly crashes: number
  /** How often API faults struck. */
  readonly strikes: number
  readonly log: readonly string[]
}

/** Once all is calm a migration must end within this time: all its deadlines, and a rollback, one after another. */
const BOUND_MS = 90 * 60_000
const LOOK_EVERY_MS = 500
const LOOK_CALMLY_EVERY_MS = 5_000
/** Looks for secrets on the hubs at each so-manyeth look only. */
const HUBS_EVERY = 6
/** After the end leases are renewed. */
const RENEWED_MS = 75_000
/** Until a klusterlet that has noticed that its hub does not answer has looked around. */
const WANDERED_MS = 40_000
const MAX_RESTART_LOOKS = 120
/** How long a new process is shown the past. */
const TRAVEL_MS = 3_000

export async function runSeed(seed: number, images: WorldImages): Promise<SeedRun> {
  const schedule = drawSchedule(seed)
  const log: string[] = []
  const told: [string, string][] = []
  const world = await HubsWorld.start({
    images,
    seed,
    count: schedule.count,
    knobs: schedule.knobs,
    onLog: line => {
      log.push(line)
      told.push(['a log line', line])
    },
    onWrite: (party, server, { path, method, body }) => {
      if (server === 'global' && !/\/secrets/.test(path))
        told.push([`${method} ${path} of ${party}`, body?.toString() ?? ''])
    },
  })
  try {
    for (const { party, write, when } of schedule.crashes) world.parties[party].crashAt(write, when)
    const inspect = (servers: readonly ServerName[]) => {
      for (const server of servers) run.canaries.collect(world, server)
      for (const [where, text] of told.splice(0)) run.canaries.inspect(where, text)
    }
    world.startParties()
    const { stageTimeout } = schedule
    await world.migrate(stageTimeout === undefined ? {} : { supportedConfigs: { stageTimeout } })
    const uid = world.migration()?.metadata.uid ?? ''
    const before = takeInventory(world, 'hub1', uid)
    const run = new Course(world, schedule)
    inspect(SERVERS)
    for (let look = 0; !run.isOver(); look++) {
      await run.goOn()
      // Tokens and credentials come and go on the global hub; what the hubs themselves keep lasts longer.
      if (world.sinceBirthMs < CALM_AT_MS) inspect(look % HUBS_EVERY === 0 ? SERVERS : ['global'])
    }
    const tookMs = world.sinceBirthMs
    const strikes = await run.calmDown()
    await world.pass(aftermathMs(schedule))
    await untilNobodyRestarts(world)
    run.watchdog.look()
    inspect(SERVERS)
    inspectEvents(world, run.canaries)
    const { state, failures } = await judge(world, before, { uid, isForeign: run.strangers.has })
    return {
      schedule,
      state,
      failures: [
        ...failures,
        ...run.watchdog.violations,
        ...world.audit.violations,
        ...world.storms.violations,
        ...(run.canaries.found ? [`INV-10: ${run.canaries.found}`] : []),
      ],
      tookMs,
      crashes: PARTIES.reduce((sum, party) => sum + world.parties[party].crashes, 0),
      strikes,
      log,
    }
  } finally {
    await world.stop()
  }
}

/** Repeats a run. */
export const seedCommandOf = (seed: number) => `npm run torture -- hubs --seeds 1 --from ${seed}`

/** After the end: leases are renewed, and klusterlets that wandered notice it. */
const aftermathMs = ({ knobs: { klusterlet } }: Schedule) =>
  Math.max(RENEWED_MS, (klusterlet?.hubConnectionTimeoutMs ?? 0) + WANDERED_MS)

/** A klusterlet that is killed now and then is judged when it stands, not in the moment of a restart. */
async function untilNobodyRestarts(world: HubsWorld): Promise<void> {
  const isRestarting = (name: string) => world.fleet.klusterlet(name)?.label === 'RS'
  for (let look = 0; look < MAX_RESTART_LOOKS && [...world.names, BYSTANDER].some(isRestarting); look++)
    await world.pass(LOOK_EVERY_MS)
}

function inspectEvents(world: HubsWorld, canaries: Canaries): void {
  for (const server of SERVERS)
    for (const event of world.objects(server, resources.events))
      canaries.inspect(`an event on ${server}`, JSON.stringify(event))
}

/** Lets the incidents of a schedule happen when they are due. */
class Course {
  readonly #world: HubsWorld
  readonly #due: { readonly atMs: number; readonly incident: Incident }[]
  readonly #ends: { readonly atMs: number; readonly end: End }[] = []
  readonly strangers: Strangers
  readonly watchdog: Watchdog
  readonly canaries = new Canaries()
  #strikes = 0
  #isCalm = false

  constructor(world: HubsWorld, schedule: Schedule) {
    this.#world = world
    this.#due = [...schedule.incidents]
    this.strangers = new Strangers(world)
    this.watchdog = new Watchdog(world)
  }

  isOver(): boolean {
    const world = this.#world
    if (world.sinceBirthMs > CALM_AT_MS + BOUND_MS) return true
    const migration = world.migration()
    return !migration || hasEnded(migration)
  }

  async goOn(): Promise<void> {
    const world = this.#world
    const nowMs = world.sinceBirthMs
    while (this.#due[0] && this.#due[0].atMs <= nowMs) {
      const next = this.#due.shift()
      if (next) await this.#begin(next.incident)
    }
    await this.#endAll(nowMs)
    if (nowMs >= CALM_AT_MS) await this.calmDown()
    await world.pass(this.#isCalm ? LOOK_CALMLY_EVERY_MS : LOOK_EVERY_MS, () => {
      this.watchdog.look()
      for (const server of SERVERS) this.canaries.collect(world, server)
      return false
    })
  }

  async #endAll(untilMs: number): Promise<void> {
    for (const [index, { atMs, end }] of [...this.#ends.entries()].reverse())
      if (atMs <= untilMs) {
        await end()
        this.#ends.splice(index, 1)
      }
  }

  /** Ends everything that went wrong. @returns how often API faults struck */
  async calmDown(): Promise<number> {
    await this.#endAll(Number.POSITIVE_INFINITY)
    if (!this.#isCalm)
      for (const server of SERVERS) {
        this.#strikes += this.#world.servers[server].faults.strikes
        this.#world.servers[server].faults.clear()
      }
    this.#isCalm = true
    this.#due.length = 0
    return this.#strikes
  }

  async #begin(incident: Incident): Promise<void> {
    const world = this.#world
    const { parties, fleet, servers, sinceBirthMs: nowMs } = world
    switch (incident.kind) {
      case 'fault': {
        const { faults } = servers[incident.server]
        const remove = faults.add(incident.rule)
        const end = () => {
          this.#strikes += faults.strikes
          remove()
          this.#strikes -= faults.strikes
        }
        this.#ends.push({ atMs: nowMs + incident.forMs, end })
        return
      }
      case 'sleep':
        parties[incident.party].replaceSleeping(incident)
        return
      case 'crash':
        parties[incident.party].crash()
        return
      case 'restartPod':
        fleet.restartPod(incident.cluster)
        return
      case 'deleteMigration':
        await world.deleteMigration()
        return
      case 'deleteTask':
      case 'deleteBundle':
        await deleteNth(world, incident.kind, incident.nth)
        return
      case 'cancel':
        await editMigration(world, { spec: { cancelled: true } })
        return
      case 'cancelOne':
        await editMigration(world, { spec: { cancelledManagedClusters: [incident.cluster] } })
        return
      case 'pause':
        await editMigration(world, { spec: { paused: true } })
        this.#ends.push({ atMs: nowMs + incident.forMs, end: () => editMigration(world, { spec: { paused: false } }) })
        return
      case 'rights': {
        const end = await withdrawRights(world, incident.party, incident.server)
        this.#ends.push({ atMs: nowMs + incident.forMs, end })
        return
      }
      case 'stranger':
        await this.strangers.place(incident.which, world.migration()?.metadata.uid ?? '')
        return
      case 'clock': {
        const { party, byMs, forMs } = incident
        world.setClock(party, byMs)
        this.#ends.push({ atMs: nowMs + forMs, end: () => world.setClock(party, 0) })
        return
      }
      case 'timeTravel': {
        const { party, server, versions } = incident
        const effect = { kind: 'stale', versions } as const
        const end = servers[server].faults.add({ users: [userOf(party)], verbs: ['list', 'get'], effect })
        this.#ends.push({ atMs: nowMs + TRAVEL_MS, end })
        parties[party].crash()
      }
    }
  }
}
