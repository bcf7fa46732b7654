/**
 * Three API servers and a fleet of klusterlets in one process: what they cost in memory and, at rest, in CPU.
 * Usage: node packages/simulation/bench/fleet.ts [clusters=3000] [restSeconds=60]
 */
import { sleep, systemClock } from '@godwit/ports'
import { isTrue } from '../src/foreign/conditions.ts'
import { conditions } from '../src/foreign/names.ts'
import { foreign, type ManagedCluster } from '../src/index.ts'
import { startWorld } from '../test/world.ts'

const MIB = 2 ** 20
const [clusters = 3000, restSeconds = 60] = process.argv.slice(2).map(Number)

const say = (line: string) => process.stdout.write(`${line}\n`)
const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`

function memory(): string {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return `rss ${mib(rss)}, heap ${mib(heapUsed)}`
}

const startedMs = systemClock.now()
const seconds = () => `${((systemClock.now() - startedMs) / 1000).toFixed(1)} s`

say(`${seconds()}: start, ${memory()}`)
const world = await startWorld({
  count: clusters,
  isReal: true,
  onProgress: step => say(`${seconds()}: ${step}, ${memory()}`),
})
/** All clusters have what their hubs give them, and nobody has had anything to do for a while. */
async function untilSettled(): Promise<void> {
  const client = world.fleet.client('hub1')
  for (let quiet = 0; quiet < 5; quiet = world.fleet.isIdle() ? quiet + 1 : 0) await sleep(systemClock, 500)
  const { items } = await client.list<ManagedCluster>(foreign.managedClusters)
  if (items.filter(item => isTrue(item, conditions.importSucceeded)).length < clusters) await untilSettled()
}

await untilSettled()
say(`${seconds()}: settled ${JSON.stringify(world.fleet.census())}, ${memory()}`)

const before = process.cpuUsage()
const requestsBefore = world.requests()
await sleep(systemClock, restSeconds * 1000)
const { user, system } = process.cpuUsage(before)
const share = (user + system) / 1000 / (restSeconds * 1000)
const requests = (world.requests() - requestsBefore) / restSeconds
say(`${seconds()}: at rest ${(share * 100).toFixed(1)} % of one core, ${requests.toFixed(0)} requests/s, ${memory()}`)
say(`highest rss ${mib(process.resourceUsage().maxRSS * 1024)}`)
await world.stop()
