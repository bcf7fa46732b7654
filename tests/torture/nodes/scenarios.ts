/** What a user does in a run: a few sets, a few edits, each when the one before has been honoured. */
import type { CocoonSet } from '@godwit/nodes'
import type { NodesWorld, NodesWorldOptions } from './world.ts'

export interface Scenario {
  readonly name: string
  readonly options?: Partial<NodesWorldOptions>
  readonly play: (world: NodesWorld) => Promise<void>
}

const STEP_LIMIT_MS = 10 * 60_000

/** Deletions wait for a registry that is down: then the user does without another set. */
const RECREATE_LIMIT_MS = 30_000

const isRunning = ({ status, metadata }: CocoonSet) =>
  status?.phase === 'Running' && status.observedGeneration === metadata.generation
const hasPhase = (phase: string) => (sets: readonly CocoonSet[]) => sets.every(({ status }) => status?.phase === phase)

/** A set may be Running on its newest spec before anybody has begun to move it. */
function isInPlace(world: NodesWorld, { metadata, spec }: CocoonSet): boolean {
  if (spec.nodeName === undefined) return true
  const main = world.pods().find(pod => pod.metadata.name === `${metadata.name}-0`)
  return main?.spec?.nodeName === spec.nodeName
}

/** Until every set runs where its newest spec wants it. What never comes is for the judge to say. */
const running = (world: NodesWorld) =>
  world.passUntil(sets => sets.length > 0 && sets.every(set => isRunning(set) && isInPlace(world, set)), STEP_LIMIT_MS)

async function runningOn(world: NodesWorld, nodeName: string, wish: object = {}): Promise<void> {
  await world.createSet('demo', { nodeName, ...wish })
  await running(world)
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'move',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { nodeName: 'node-b' })
      await running(world)
    },
  },
  {
    name: 'there-and-back',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { nodeName: 'node-b' })
      await running(world)
      await world.edit('demo', { nodeName: 'node-a' })
      await running(world)
    },
  },
  {
    name: 'undeletable-snapshots',
    options: { deletion: false },
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { nodeName: 'node-b' })
      await running(world)
      await world.edit('demo', { nodeName: 'node-c' })
      await running(world)
    },
  },
  {
    name: 'sub-agents',
    play: async world => {
      await runningOn(world, 'node-a', { replicas: 2 })
      await world.edit('demo', { nodeName: 'node-b' })
      await running(world)
    },
  },
  {
    name: 'suspend',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { suspend: true })
      await world.passUntil(hasPhase('Suspended'), STEP_LIMIT_MS)
      await world.edit('demo', { suspend: false })
      await running(world)
    },
  },
  {
    name: 'release',
    play: async world => {
      await world.createSet('demo', { hibernatePolicy: 'release' })
      await running(world)
      await world.edit('demo', { suspend: true })
      await world.passUntil(hasPhase('Suspended'), STEP_LIMIT_MS)
      await world.edit('demo', { suspend: false })
      await running(world)
    },
  },
  {
    name: 'unsuspend-elsewhere',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { suspend: true })
      await world.passUntil(hasPhase('Suspended'), STEP_LIMIT_MS)
      await world.edit('demo', { suspend: false, nodeName: 'node-b' })
      await running(world)
    },
  },
  {
    name: 'hibernation',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.hibernate('demo-0', 'Hibernate')
      await untilHibernation(world, 'Hibernated')
      await world.hibernate('demo-0', 'Wake')
      await untilHibernation(world, 'Active')
      await running(world)
    },
  },
  {
    name: 'deleted',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { nodeName: 'node-b' })
      await running(world)
      await world.deleteSet('demo')
      await world.passUntil(sets => sets.length === 0, STEP_LIMIT_MS)
    },
  },
  {
    name: 'cordoned-target',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.cluster.cordon('node-b', true)
      await world.edit('demo', { nodeName: 'node-b' })
      await world.pass(60_000)
      await world.cluster.cordon('node-b', false)
      await running(world)
    },
  },
  {
    name: 'missing-target',
    play: async world => {
      await runningOn(world, 'node-a')
      await world.edit('demo', { nodeName: 'node-z' })
      await world.pass(120_000)
      await world.edit('demo', { nodeName: 'node-c' })
      await running(world)
    },
  },
]

async function untilHibernation(world: NodesWorld, phase: string): Promise<void> {
  const endMs = world.clock.now() + STEP_LIMIT_MS
  while (world.clock.now() < endMs) {
    const [hibernation] = await world.hibernations()
    if (hibernation?.status?.phase === phase) return
    await world.pass(500)
  }
}

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find(scenario => scenario.name === name)
  if (!found) throw new Error(`there is no scenario ${name}; choose ${SCENARIOS.map(each => each.name).join(', ')}`)
  return found
}

/** What a user may do to a set in the middle of its move: the columns of the matrix. */
export const EDITS = {
  back: (world: NodesWorld) => world.edit('demo', { nodeName: 'node-a' }),
  third: (world: NodesWorld) => world.edit('demo', { nodeName: 'node-c' }),
  unpin: (world: NodesWorld) => world.edit('demo', { nodeName: null }),
  suspend: (world: NodesWorld) => world.edit('demo', { suspend: true }),
  delete: (world: NodesWorld) => world.deleteSet('demo'),
  recreate: async (world: NodesWorld) => {
    await world.deleteSet('demo')
    const isGone = await world.passUntil(sets => sets.length === 0, RECREATE_LIMIT_MS)
    if (isGone) await world.createSet('demo', { nodeName: 'node-c' })
  },
  hibernate: (world: NodesWorld) => world.hibernate('demo-0', 'Hibernate'),
} as const
export type EditName = keyof typeof EDITS
export const EDIT_NAMES = Object.keys(EDITS) as readonly EditName[]

/** A move from node-a to node-b in which the user does something else as soon as the operator has sent so many writes. */
export const interrupted = (edit: EditName, write: number): Scenario => ({
  name: `${edit}@${write}`,
  play: async world => {
    await runningOn(world, 'node-a')
    const before = world.operator.writes
    await world.edit('demo', { nodeName: 'node-b' })
    await world.pass(STEP_LIMIT_MS, () => world.operator.writes >= before + write || isMoved(world))
    await EDITS[edit](world)
  },
})

function isMoved(world: NodesWorld): boolean {
  const set = world.set('demo')
  return set !== undefined && isRunning(set) && world.cluster.agents.guests().some(({ node }) => node === 'node-b')
}
