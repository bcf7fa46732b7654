/** What a site adds to what playbooks take. Two sites as processes, with simulated subclouds in this one. */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { TwoSites } from './two-sites.ts'

const help = `npm run bench -- sites [--sizes LIST]

  --sizes LIST  subclouds of each run (default 1000,5000)`
const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '1000,5000' }, help: { type: 'boolean', default: false } },
})

const LATENCY_MS = 5
const PLAYBOOK_MS = 2_000
const WIDTH = 250
const LOOKS = 20
/** What is wanted is wanted of so many subclouds; of more that they cost as little each. */
const TARGETS_FOR = 1_000

interface Cost {
  readonly subclouds: number
  readonly syncMs: number
  readonly migrateMs: number
}

if (values.help) console.log(help)
else {
  const [load = 0] = loadavg()
  console.log(`${availableParallelism()} processors, load ${load.toFixed(1)}; each request between the sites takes`)
  console.log(
    `${LATENCY_MS} ms more; a playbook takes ${PLAYBOOK_MS / 1000} s, ${WIDTH} run at once; databases on the disk`,
  )
  const costs: Cost[] = []
  for (const size of values.sizes.split(',').map(Number)) costs.push(await measure(size))
  compare(costs)
}

async function measure(subclouds: number): Promise<Cost> {
  const wanted = (bound: Bound): Bound => (subclouds === TARGETS_FOR ? bound : {})
  console.log(`\n${subclouds} subclouds`)
  const sites = await TwoSites.start({ subclouds, latencyMs: LATENCY_MS, width: WIDTH })
  const syncMs = await sites.sync()
  figure('sync to the other site', syncMs / 1000, 's', wanted({ atMost: 30 }))
  const lists: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    const startedAt = performance.now()
    await sites.a.list('/subclouds')
    lists.push(performance.now() - startedAt)
  }
  figure(`list of all of them, median of ${LOOKS}`, median(lists), 'ms', wanted({ atMost: 50 }))
  const used = () => [sites.b.usedMs, sites.a.usedMs, process.cpuUsage().user / 1e3 + process.cpuUsage().system / 1e3]
  const [usedBefore, requestsBefore] = [used(), sites.requests]
  const migrateMs = await sites.migrate(PLAYBOOK_MS)
  const usedMs = used().map((ms, index) => (ms - (usedBefore[index] ?? 0)) / subclouds)
  const boundMs = Math.ceil(subclouds / WIDTH) * PLAYBOOK_MS
  figure('migration to the other site', migrateMs / 1000, 's')
  figure(
    'of it the playbooks alone, with every place taken at all times',
    boundMs / migrateMs,
    '',
    wanted({ atLeast: 0.9 }),
  )
  const times = sites.b.memberTimes()
  figure('a subcloud from its beginning until it is managed, median', median(times.map(({ tookMs }) => tookMs)), 'ms')
  figure('of it waiting for one of the places, median', median(times.map(({ queuedMs }) => queuedMs)), 'ms')
  figure('of it its playbook, median', median(times.map(({ runId }) => sites.playbookMs(runId))), 'ms')
  const besides = times.map(({ runId, tookMs, queuedMs }) => tookMs - queuedMs - sites.playbookMs(runId))
  figure('of it neither, which is what this site adds, median', median(besides), 'ms', wanted({ atMost: 50 }))
  figure('requests to the other site for a subcloud', (sites.requests - requestsBefore) / subclouds, '')
  for (const [index, who] of ['site-b, which takes it in', 'site-a', 'simulator and lines, which are here'].entries())
    figure(`processor time of ${who}, for a subcloud`, usedMs[index] ?? Number.NaN, 'ms')
  for (const site of [sites.a, sites.b])
    figure(`highest resident size of ${site.identity.name}`, site.peakMiB, 'MiB', wanted({ atMost: 250 }))
  await sites.stop()
  return { subclouds, syncMs, migrateMs }
}

function compare(costs: readonly Cost[]): void {
  const [first, last] = [costs[0], costs.at(-1)]
  if (!first || !last || first === last) return
  const grown = (of: (cost: Cost) => number) => of(last) / last.subclouds / (of(first) / first.subclouds)
  console.log(`\nCost of one subcloud, among ${last.subclouds} beside among ${first.subclouds}`)
  figure(
    'of a sync',
    grown(({ syncMs }) => syncMs),
    '×',
  )
  figure(
    'of a migration',
    grown(({ migrateMs }) => migrateMs),
    '×',
  )
}

interface Bound {
  readonly atMost?: number
  readonly atLeast?: number
}

function figure(what: string, value: number, unit: string, { atMost, atLeast }: Bound = {}): void {
  const bound = atMost === undefined ? atLeast : atMost
  const isMet = (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast)
  const wanted =
    bound === undefined
      ? ''
      : `target ${atMost === undefined ? '≥' : '≤'} ${bound} ${unit}  ${isMet ? 'met' : 'MISSED'}`
  const digits = value < 10 ? 2 : 1
  console.log(`  ${what.padEnd(66)} ${`${value.toFixed(digits)} ${unit}`.padStart(12)}  ${wanted}`.trimEnd())
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
