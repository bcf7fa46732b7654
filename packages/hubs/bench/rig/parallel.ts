/** Many migrations between many pairs of hubs at once. */
import { create, isOver, Observer } from './migrations.ts'
import { startAgent, startController } from './parties.ts'
import { World } from './world.ts'

const HUBS = 8
const CLUSTERS_EACH = 2

export interface Parallel {
  readonly migrations: number
  /** The largest number that were moving clusters at the same moment. */
  readonly active: number
  readonly seconds: number
}

/** Each ordered pair of hubs has a migration of its own; between the same two hubs they run one after another. */
export async function measureParallel(): Promise<Parallel> {
  const names = Array.from({ length: HUBS }, (_, index) => `hub${index + 1}`)
  const world = await World.start({ hubs: Object.fromEntries(names.map(name => [name, (HUBS - 1) * CLUSTERS_EACH])) })
  const parties = [await startController(world)]
  for (const name of names) parties.push(await startAgent(world, name))
  await Promise.all(parties.map(party => party.logged('recovered, nothing is under way')))
  const observer = new Observer(world.globalHub)
  let active = 0
  observer.onChange(() => {
    const moving = observer.all.filter(({ status }) => status?.shared?.stage === 'Moving').length
    active = Math.max(active, moving)
  })
  const startedAt = performance.now()
  let migrations = 0
  for (const from of names) {
    const clusters = world.names[from] ?? []
    for (const [index, to] of names.filter(name => name !== from).entries()) {
      const part = clusters.slice(index * CLUSTERS_EACH, (index + 1) * CLUSTERS_EACH)
      await create(world.globalHub, { name: `${from}-${to}`, from, to, clusters: part })
      migrations++
    }
  }
  const areOver = (all: Observer['all']) => all.length === migrations && all.every(isOver)
  await observer.until('the end of all migrations', areOver, 300_000)
  const failed = observer.all.filter(({ status }) => status?.phase !== 'Completed')
  if (failed.length > 0) throw new Error(`${failed.length} of ${migrations} migrations failed`)
  const seconds = (performance.now() - startedAt) / 1000
  await observer.stop()
  await Promise.all(parties.map(party => party.stop()))
  await world.stop()
  return { migrations, active, seconds }
}
