/** One run of a scenario, undisturbed or with one death, from an empty world to its judgement. */
import { annotations, type ManagedCluster, ocm } from '@godwit/hubs'
import type { CrashTime } from '@godwit/simulation'
import { Canaries } from './canaries.ts'
import { editMigration } from './incidents.ts'
import { takeInventory } from './inventory.ts'
import { hasEnded, judge, type Verdict } from './judge.ts'
import type { Scenario } from './scenarios.ts'
import { Watchdog } from './watchdog.ts'
import { HubsWorld } from './world.ts'
import { PARTIES, type PartyName, SERVERS, type WorldImages } from './world-image.ts'

export interface CrashPoint {
  readonly party: PartyName
  /** The how-manyeth write of the party, counted from 1. */
  readonly write: number
  readonly when: CrashTime
}

export interface ScenarioRun extends Verdict {
  /** How many writes each party sent. */
  readonly writes: Readonly<Record<PartyName, number>>
  readonly crashes: number
  /** Virtual time from the creation of the migration to its end. */
  readonly tookMs: number
  readonly log: readonly string[]
}

/** A migration that takes longer than this has failed. */
const BOUND_MS = 40 * 60_000
const LOOK_EVERY_MS = 500
/** After the end: leases are renewed, foreign controllers tidy up. */
const AFTERMATH_MS = 90_000
/** Writes of a party that come this long after the end are a fault. */
const QUIET_AFTER_MS = 15_000
/** Long enough for a request to be seen. */
const ASKED_MS = 5_000

export async function runScenario(
  scenario: Scenario,
  { seed, images }: { readonly seed: number; readonly images: WorldImages },
  crash?: CrashPoint,
): Promise<ScenarioRun> {
  const { count, knobs, stageTimeout, spec, deletedAt, cutOff } = scenario
  const told: [string, string][] = []
  const log: string[] = []
  let isDue = false
  const world = await HubsWorld.start({
    images,
    seed,
    count,
    ...(knobs && { knobs }),
    onLog: line => {
      log.push(line)
      told.push(['a log line', line])
    },
    onWrite: (party, server, request) => {
      if (server === 'global' && !/\/secrets/.test(request.path))
        told.push([`${request.method} ${request.path} of ${party}`, request.body?.toString() ?? ''])
      if (deletedAt?.(party, server, request)) isDue = true
    },
  })
  try {
    if (crash) world.parties[crash.party].crashAt(crash.write, crash.when)
    const beginMs = world.clock.now()
    world.startParties()
    await world.migrate({ ...spec, ...(stageTimeout !== undefined && { supportedConfigs: { stageTimeout } }) })
    const uid = world.migration()?.metadata.uid ?? ''
    const before = takeInventory(world, 'hub1', uid)
    const watchdog = new Watchdog(world)
    const canaries = new Canaries()
    const help = new Help(world, cutOff)
    let isDeleted = false
    while (!(isOver(world) && (await help.isNeedless())) && world.clock.now() - beginMs < BOUND_MS) {
      await world.pass(LOOK_EVERY_MS, () => {
        watchdog.look()
        help.look()
        for (const server of SERVERS) canaries.collect(world, server)
        return isDue && !isDeleted
      })
      if (!isDue || isDeleted) continue
      isDeleted = true
      await world.deleteMigration()
    }
    const tookMs = world.clock.now() - beginMs
    await world.pass(QUIET_AFTER_MS)
    const writes = writesOf(world)
    await world.pass(AFTERMATH_MS - QUIET_AFTER_MS)
    watchdog.look()
    const { state, failures } = await judge(world, before, { uid })
    for (const [where, text] of told) canaries.inspect(where, text)
    const leaks = canaries.found ? [`INV-10: ${canaries.found}`] : []
    const late = PARTIES.filter(party => world.parties[party].writes !== writes[party])
    const crashes = PARTIES.reduce((sum, party) => sum + world.parties[party].crashes, 0)
    const restless = late.map(party => `${party} goes on writing after the end`)
    return {
      state,
      failures: [
        ...failures,
        ...restless,
        ...watchdog.violations,
        ...world.audit.violations,
        ...world.storms.violations,
        ...leaks,
      ],
      writes,
      crashes,
      tookMs,
      log,
    }
  } finally {
    await world.stop()
  }
}

/** Cuts a cluster off when it is denied; when nothing more can be done for it, lets it back and asks to try again. */
class Help {
  readonly #world: HubsWorld
  readonly #cluster: string | undefined
  #isAsked = false
  #isCutOff = false

  constructor(world: HubsWorld, cluster: string | undefined) {
    this.#world = world
    this.#cluster = cluster
  }

  look(): void {
    if (this.#cluster === undefined || this.#isCutOff) return
    const clusters = this.#world.objects<ManagedCluster>('hub1', ocm.managedClusters)
    const own = clusters.find(({ metadata }) => metadata.name === this.#cluster)
    if (own?.spec?.hubAcceptsClient !== false) return
    this.#isCutOff = true
    this.#world.fleet.adjust(this.#cluster, { unreachableHubs: ['hub1', 'hub2'] })
  }

  /** True: there is nothing to ask for, or it was asked for before. */
  async isNeedless(): Promise<boolean> {
    if (this.#cluster === undefined || this.#isAsked) return true
    this.#isAsked = true
    this.#world.fleet.adjust(this.#cluster, { unreachableHubs: ['hub2'] })
    await editMigration(this.#world, { metadata: { annotations: { [annotations.request]: 'rollback' } } })
    await this.#world.pass(ASKED_MS)
    return false
  }
}

const writesOf = ({ parties }: HubsWorld) =>
  Object.fromEntries(PARTIES.map(party => [party, parties[party].writes])) as Record<PartyName, number>

/** Ended, and nobody holds it any more; or gone. */
function isOver(world: HubsWorld): boolean {
  const migration = world.migration()
  return !migration || hasEnded(migration)
}
