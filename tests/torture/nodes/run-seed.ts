/** One run of a random schedule, from an empty world to its judgement. */
import { resources } from '@godwit/kube'
import { unsettled } from './judge.ts'
import { EDITS } from './scenarios.ts'
import { CALM_AT_MS, drawSchedule, type Incident, type Schedule } from './schedule.ts'
import { NodesWorld } from './world.ts'
import type { WorldImage } from './world-image.ts'

export interface SeedRun {
  readonly schedule: Schedule
  readonly failures: readonly string[]
  readonly tookMs: number
  readonly crashes: number
  /** How often faults struck: of the API, of the registry, of agents. */
  readonly strikes: number
  readonly log: readonly string[]
}

/** Once all is calm every set must settle within this: all its deadlines, and a rollback, one after another. */
const BOUND_MS = 60 * 60_000
const LOOK_EVERY_MS = 250
const AFTERMATH_MS = 120_000

/** Repeats a run. */
export const seedCommandOf = (seed: number) => `npm run torture -- nodes --seeds 1 --from ${seed}`

export async function runSeed(seed: number, image: WorldImage): Promise<SeedRun> {
  const schedule = drawSchedule(seed)
  const { knobs, deletion, replicas, policy } = schedule
  const log: string[] = []
  const world = await NodesWorld.start({ image, seed, knobs, deletion, onLog: line => log.push(line) })
  try {
    world.operator.start()
    await world.createSet('demo', { nodeName: 'node-a', hibernatePolicy: policy, ...(replicas > 0 && { replicas }) })
    await world.passUntil(sets => sets.every(({ status }) => status?.phase === 'Running'), 60_000)
    for (const { write, when } of schedule.crashes) world.operator.crashAt(write, when)
    const trouble = new Trouble(world, schedule)
    await world.edit('demo', { nodeName: 'node-b' })
    await trouble.happen()
    const isSettled = await world.passUntil(sets => sets.every(set => unsettled(world, set) === undefined), BOUND_MS)
    const tookMs = world.sinceBirthMs
    await world.pass(AFTERMATH_MS)
    if (!trouble.hasLied) world.watch.lookForStrays(await world.tagOwners())
    const failures = [
      ...world.watch.violations,
      ...(isSettled ? [] : world.sets().flatMap(set => unsettled(world, set) ?? [])),
    ]
    return { schedule, failures, tookMs, crashes: world.operator.crashes, strikes: trouble.strikes, log }
  } finally {
    await world.stop()
  }
}

/** Lets the incidents of a schedule happen when they are due, and ends all of them. */
class Trouble {
  readonly #world: NodesWorld
  readonly #due: { readonly atMs: number; readonly incident: Incident }[]
  readonly #ends: { readonly atMs: number; readonly end: () => unknown }[] = []
  #apiStrikes = 0
  #hasLied = false

  constructor(world: NodesWorld, { incidents }: Schedule) {
    this.#world = world
    this.#due = [...incidents]
  }

  get strikes(): number {
    const { registry, cluster } = this.#world
    return this.#apiStrikes + registry.faults.strikes + cluster.agents.faults.strikes
  }

  /** What is left behind because somebody was told that it was gone is not on any record. */
  get hasLied(): boolean {
    return this.#hasLied
  }

  async happen(): Promise<void> {
    const beginMs = this.#world.clock.now()
    for (;;) {
      const sinceMs = this.#world.clock.now() - beginMs
      while (this.#due[0] && this.#due[0].atMs <= sinceMs) {
        const next = this.#due.shift()
        if (next) await this.#begin(next.incident, sinceMs)
      }
      const isCalm = sinceMs >= CALM_AT_MS || (this.#due.length === 0 && this.#ends.length === 0)
      for (const [index, { atMs, end }] of [...this.#ends.entries()].reverse())
        if (isCalm || atMs <= sinceMs) {
          await end()
          this.#ends.splice(index, 1)
        }
      if (isCalm) return this.#world.cluster.agents.faults.clear()
      await this.#world.pass(LOOK_EVERY_MS)
    }
  }

  async #begin(incident: Incident, sinceMs: number): Promise<void> {
    const world = this.#world
    const until = (forMs: number, end: () => unknown) => this.#ends.push({ atMs: sinceMs + forMs, end })
    switch (incident.kind) {
      case 'api': {
        const { faults } = world.server
        const remove = faults.add(incident.rule)
        until(incident.forMs, () => {
          this.#apiStrikes += faults.strikes
          remove()
          this.#apiStrikes -= faults.strikes
        })
        return
      }
      case 'registry':
        until(incident.forMs, world.registry.faults.add(incident.rule))
        return
      case 'lie':
        this.#hasLied = true
        until(incident.forMs, world.registry.faults.add(incident.rule))
        return
      case 'destroy':
        world.cluster.agents.destroyNode(incident.node)
        if (incident.removedAfterMs !== undefined)
          until(incident.removedAfterMs, () => world.client.delete(resources.nodes, { name: incident.node }))
        return
      case 'registryDown':
        world.registry.isDown = true
        until(incident.forMs, () => {
          world.registry.isDown = false
        })
        return
      case 'agent':
        world.cluster.agents.faults.add(incident.fault)
        return
      case 'cut':
        world.cluster.agents.setCut(incident.node, true)
        until(incident.forMs, () => world.cluster.agents.setCut(incident.node, false))
        return
      case 'cordon':
        await cordon(world, incident.node, true)
        until(incident.forMs, () => cordon(world, incident.node, false))
        return
      case 'sleep':
        world.operator.replaceSleeping(incident)
        return
      case 'crash':
        world.operator.crash()
        return
      case 'edit':
        // What a deletion left because it was told that it was gone would be given to the next life of that name.
        await edit(world, this.#hasLied && incident.edit === 'recreate' ? 'delete' : incident.edit)
    }
  }
}

/** A node that is gone cannot be cordoned. */
async function cordon(world: NodesWorld, node: string, isCordoned: boolean): Promise<void> {
  if (await world.client.get(resources.nodes, { name: node })) await world.cluster.cordon(node, isCordoned)
}

async function edit(world: NodesWorld, what: Extract<Incident, { kind: 'edit' }>['edit']): Promise<void> {
  // A set that is gone or going cannot be edited any more.
  const set = world.set('demo')
  if (!set || set.metadata.deletionTimestamp !== undefined) return
  if (what === 'unsuspend') await world.edit('demo', { suspend: false })
  else if (what === 'wake') {
    if ((await world.hibernations()).length > 0) await world.hibernate('demo-0', 'Wake')
  } else await EDITS[what](world)
}
