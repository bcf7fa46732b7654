/** X10: very many sets that are all pinned elsewhere at once, while two in a hundred of everything goes wrong. */
import type { CocoonSet } from '@godwit/nodes'
import { unsettled } from './judge.ts'
import { NODES, NodesWorld, OPERATOR } from './world.ts'
import type { WorldImage } from './world-image.ts'

export interface WaveRun {
  readonly failures: readonly string[]
  readonly crashes: number
  /** Virtual milliseconds from the pin to Running in place, in rising order. */
  readonly tookMs: readonly number[]
  readonly log: readonly string[]
}

const FAULT_RATE = 0.02
/** Four workers, a few seconds for each move, retries, and deadlines that pass: longer would be a queue that stands. */
const BOUND_MS = 30 * 60_000
const CREATED_MS = 10 * 60_000
const AFTERMATH_MS = 2 * 60_000
/** In the middle of the wave: a move is some twelve writes. */
const WRITES_TO_DEATH = 5

export async function runWave(
  sets: number,
  { image, seed }: { readonly image: WorldImage; readonly seed: number },
): Promise<WaveRun> {
  const log: string[] = []
  const nodes = NODES.map(name => ({ name, cpu: '100000', memory: '1000Ti' }))
  const world = await NodesWorld.start({ image, seed, nodes, onLog: line => log.push(line) })
  try {
    world.operator.start()
    const names = Array.from({ length: sets }, (_, index) => `set-${index}`)
    for (const name of names) await world.createSet(name, { nodeName: NODES[0] })
    const areMade = await world.passUntil(known => known.length === sets && known.every(isRunning), CREATED_MS)
    world.operator.crashAt(world.operator.writes + sets * WRITES_TO_DEATH, 'after')
    const end = strike(world)
    const tookMs = await moveAll(world, names)
    const crashes = world.operator.crashes
    await end()
    await world.pass(AFTERMATH_MS)
    world.watch.lookForStrays(await world.tagOwners())
    const failures = [
      ...(areMade ? [] : [`the sets were not made within ${CREATED_MS / 60_000} minutes`]),
      ...world.watch.violations,
      ...world.sets().flatMap(set => unsettled(world, set) ?? []),
      ...(tookMs.length < sets
        ? [`I6: ${sets - tookMs.length} sets did not arrive in ${BOUND_MS / 60_000} minutes`]
        : []),
    ]
    return { failures, crashes, tookMs, log }
  } finally {
    await world.stop()
  }
}

/** In place, or taken back where it was with the reason on record. */
const isRunning = ({ status, metadata }: CocoonSet) =>
  status?.phase === 'Running' && status.observedGeneration === metadata.generation

/** @returns what ends the misfortune */
function strike(world: NodesWorld): () => Promise<void> {
  const verbs = ['get', 'list', 'create', 'update', 'patch', 'delete']
  const shares = [
    { effect: { kind: 'status', code: 500, applied: false } },
    { effect: { kind: 'status', code: 409, applied: false } },
    { effect: { kind: 'cut', applied: true } },
  ] as const
  const removes = shares.map(({ effect }) =>
    world.server.faults.add({ users: [OPERATOR], verbs, probability: FAULT_RATE / shares.length, effect }),
  )
  removes.push(
    world.registry.faults.add({ probability: FAULT_RATE, effect: { kind: 'status', code: 503, applied: false } }),
  )
  const points = ['save', 'push', 'store', 'remove', 'fetch', 'clone', 'fixUp', 'publish', 'status'] as const
  const { agents } = world.cluster
  agents.adjust({ failures: Object.fromEntries(points.map(point => [point, FAULT_RATE])) })
  return async () => {
    for (const remove of removes) remove()
    agents.adjust({ failures: {} })
  }
}

async function moveAll(world: NodesWorld, names: readonly string[]): Promise<readonly number[]> {
  const beganMs = world.clock.now()
  const wanted = NODES[1]
  for (const name of names) await world.edit(name, { nodeName: wanted })
  const arrived = new Map<string, number>()
  await world.passUntil(sets => {
    for (const set of sets)
      if (!arrived.has(set.metadata.name) && isRunning(set)) arrived.set(set.metadata.name, world.clock.now() - beganMs)
    return arrived.size === names.length
  }, BOUND_MS)
  return [...arrived.values()].sort((a, b) => a - b)
}
