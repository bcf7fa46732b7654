/** One migration of many clusters, from the user's object to its end. */
import { create, isOver, named, Observer } from './migrations.ts'
import { type Party, startAgent, startController } from './parties.ts'
import { quantile } from './report.ts'
import { Timeline } from './timeline.ts'
import { World } from './world.ts'

const MIB = 2 ** 20
const LONE_MIGRATIONS = 10

export interface Speed {
  readonly clusters: number
  readonly seconds: number
  readonly callsPerCluster: number
  readonly controllerMiB: number
  readonly agentMiB: number
  /** Of the servers and the simulated clusters. */
  readonly worldMiB: number
  /** Processor time of the servers and the simulated clusters for each cluster, in milliseconds. */
  readonly worldCpuMs: number
  /** What a cluster waits for others, in the median. */
  readonly waitMs: number
  /** What a cluster is under way beyond that, in the median, its turn in the queue included. */
  readonly besideMs: number
}

interface Stage {
  readonly world: World
  readonly parties: readonly Party[]
  readonly observer: Observer
  readonly calls: { count: number }
  stop(): Promise<void>
}

async function raise(clusters: number): Promise<Stage> {
  const calls = { count: 0 }
  const onCall = () => {
    calls.count++
  }
  const world = await World.start({ hubs: { hub1: clusters, hub2: 0 }, onCall })
  const parties = [await startController(world), await startAgent(world, 'hub1'), await startAgent(world, 'hub2')]
  await Promise.all(parties.map(party => party.logged('recovered, nothing is under way')))
  const observer = new Observer(world.globalHub)
  const stop = async () => {
    await observer.stop()
    await Promise.all(parties.map(party => party.stop()))
    await world.stop()
  }
  return { world, parties, observer, calls, stop }
}

export async function measureSpeed(clusters: number, withinMs: number): Promise<Speed> {
  const { world, parties, observer, calls, stop } = await raise(clusters)
  const timeline = new Timeline(world, 'hub1', 'hub2')
  await timeline.start()
  calls.count = 0
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  await create(world.globalHub, { name: 'move', from: 'hub1', to: 'hub2', clusters: world.names['hub1'] ?? [] })
  await observer.until('the end of the migration', named('move', isOver), withinMs)
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const [migration] = observer.all
  const completed = migration?.status?.clusters?.completed ?? 0
  if (completed !== clusters) throw new Error(`${completed} of ${clusters} clusters moved`)
  await timeline.caughtUp(clusters)
  const [controller, ...agents] = parties.map(({ peakBytes }) => peakBytes / MIB)
  const { ways } = timeline
  const speed: Speed = {
    clusters,
    seconds,
    callsPerCluster: calls.count / clusters,
    controllerMiB: controller ?? Number.NaN,
    agentMiB: Math.max(...agents),
    worldMiB: process.memoryUsage.rss() / MIB,
    worldCpuMs: (cpu.user + cpu.system) / 1000 / clusters,
    waitMs: quantile(
      ways.map(({ waitedMs }) => waitedMs),
      0.5,
    ),
    besideMs: quantile(
      ways.map(({ totalMs, waitedMs }) => totalMs - waitedMs),
      0.5,
    ),
  }
  await timeline.stop()
  await stop()
  return speed
}

export interface Lone {
  readonly totalMs: number
  readonly waitMs: number
  /** Total without waits for others: what the control plane needs for a cluster that is alone. */
  readonly besideMs: number
}

/** One cluster after the other, each in a migration of its own: nothing queues. Medians. */
export async function measureLone(): Promise<Lone> {
  const { world, observer, stop } = await raise(LONE_MIGRATIONS)
  const timeline = new Timeline(world, 'hub1', 'hub2')
  await timeline.start()
  for (const [index, cluster] of (world.names['hub1'] ?? []).entries()) {
    const name = `lone-${index}`
    await create(world.globalHub, { name, from: 'hub1', to: 'hub2', clusters: [cluster] })
    await observer.until(`the end of ${name}`, named(name, isOver), 60_000)
  }
  await timeline.caughtUp(LONE_MIGRATIONS)
  const { ways } = timeline
  await timeline.stop()
  await stop()
  const median = (of: (way: (typeof ways)[number]) => number) => quantile(ways.map(of), 0.5)
  return {
    totalMs: median(way => way.totalMs),
    waitMs: median(way => way.waitedMs),
    besideMs: median(way => way.totalMs - way.waitedMs),
  }
}
