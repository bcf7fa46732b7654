/**
 * What moving clusters between hubs costs, beside its targets. Everything runs on this machine: three or more API
 * servers and thousands of simulated clusters in this process, controller and agents in processes of their own.
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { measureParallel } from './rig/parallel.ts'
import { NODE_OPTIONS } from './rig/parties.ts'
import { atLeast, atMost, figure, heading, remark } from './rig/report.ts'
import { measureRestarts } from './rig/restart.ts'
import { LEASE_SECONDS, measureRollback, STAGES } from './rig/rollback.ts'
import { measureLone, measureSpeed, type Speed } from './rig/speed.ts'
import { API_LATENCY_MS } from './rig/world.ts'

const PARTS = ['lone', 'speed', 'parallel', 'rollback', 'restart'] as const
type Part = (typeof PARTS)[number]

const help = `npm run bench -- hubs [PART…] [OPTIONS]

  PART          ${PARTS.join(', ')}; default: all of them
  --sizes LIST  clusters of the migrations of part speed (default 100,300,1000,3000)
  --open N      clusters of part restart (default 3000)
  --items N     clusters of part rollback (default 300)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '100,300,1000,3000' },
    open: { type: 'string', default: '3000' },
    items: { type: 'string', default: '300' },
    help: { type: 'boolean', default: false },
  },
})

/** Seconds that a migration of so many clusters may take. */
const LIMITS: Readonly<Record<number, number>> = { 300: 20, 3000: 180 }
/** Our own processes make a load of about one for each processor. */
const CROWDED = 1.5
const ROLLBACK_SECONDS = 20
const RESTART_SECONDS = 1
const MAX_CALLS = 40
const MAX_CONTROLLER_MIB = 300
const MAX_OVERHEAD_MS = 100
const TIMEOUT_MS_PER_CLUSTER = 200
const TIMEOUT_MS = 60_000

async function lone(): Promise<void> {
  heading('One cluster alone')
  const { totalMs, waitMs, besideMs } = await measureLone()
  figure('from its task to its outcome, median', totalMs, 'ms')
  figure('of it: waits for klusterlet and foreign controllers', waitMs, 'ms')
  figure('the rest: latency of its API calls one after another, and decisions', besideMs, 'ms')
}

async function speed(): Promise<void> {
  const results: Speed[] = []
  for (const clusters of values.sizes.split(',').map(Number)) {
    heading(`One migration of ${clusters} clusters`)
    const result = await measureSpeed(clusters, TIMEOUT_MS + clusters * TIMEOUT_MS_PER_CLUSTER)
    results.push(result)
    report(result)
  }
  const [first, last] = [results[0], results.at(-1)]
  if (!first || !last || first === last) return
  heading(`Cost of a cluster, from ${first.clusters} to ${last.clusters}`)
  for (const each of results)
    remark(
      `${String(each.clusters).padStart(5)} clusters: ${overheadOf(each).toFixed(1)} ms and ${each.callsPerCluster.toFixed(1)} calls each`,
    )
  figure('calls of a cluster, the largest migration to the smallest', last.callsPerCluster / first.callsPerCluster, '×')
  figure('time of a cluster, the largest migration to the smallest', overheadOf(last) / overheadOf(first), '×')
}

/** Milliseconds: the time that a migration takes beyond what one cluster waits for others, for each cluster. */
const overheadOf = ({ seconds, waitMs, clusters }: Speed) => (seconds * 1000 - waitMs) / clusters

function report(result: Speed): void {
  const { clusters, seconds, callsPerCluster, controllerMiB, agentMiB, worldMiB, worldCpuMs, waitMs, besideMs } = result
  const limit = LIMITS[clusters]
  figure('from the user’s object to its end', seconds, 's', limit === undefined ? undefined : atMost(limit))
  figure('overhead of the control plane for each cluster', overheadOf(result), 'ms', atMost(MAX_OVERHEAD_MS))
  figure('API calls of controller and agents for each cluster', callsPerCluster, '', atMost(MAX_CALLS))
  figure('a cluster waits for klusterlet and foreign controllers, median', waitMs, 'ms')
  figure('a cluster is under way beside that, turns in queues included, median', besideMs, 'ms')
  figure('highest resident size of the controller', controllerMiB, 'MiB', atMost(MAX_CONTROLLER_MIB))
  figure('highest resident size of an agent', agentMiB, 'MiB')
  figure('resident size of servers and simulated clusters', worldMiB, 'MiB')
  figure('processor time of servers and simulated clusters for each cluster', worldCpuMs, 'ms')
  const [load = 0] = loadavg()
  if (load > CROWDED * availableParallelism())
    remark(`load ${load.toFixed(1)}: others work on this machine too, times say little`)
}

async function parallel(): Promise<void> {
  heading('Many migrations at once, between eight hubs')
  const { migrations, active, seconds } = await measureParallel()
  figure('migrations', migrations, '')
  figure('moving clusters at the same moment', active, '', atLeast(50))
  figure('until the last has ended', seconds, 's')
}

async function rollback(): Promise<void> {
  const clusters = Number(values.items)
  heading(`Rollback of ${clusters} clusters, from the user’s deletion until the migration is gone`)
  remark(`A klusterlet that returns needs a restart, 1 s, and renews its lease every ${LEASE_SECONDS} s.`)
  for (const stage of STAGES) {
    const ofKlusterlets = stage === 'Registering' ? RESTART_SECONDS + LEASE_SECONDS : 0
    const seconds = await measureRollback(stage, clusters)
    const what = ofKlusterlets > 0 ? `from ${stage}, ${ofKlusterlets} s of klusterlets included` : `from ${stage}`
    figure(what, seconds, 's', atMost(ROLLBACK_SECONDS + ofKlusterlets))
  }
}

async function restart(): Promise<void> {
  const clusters = Number(values.open)
  heading(`Restart after SIGKILL in a migration of ${clusters} clusters`)
  for (const { who, open, seconds, sinceStartSeconds } of await measureRestarts(clusters)) {
    figure(`${who}: first write after it leads, ${open} open`, seconds, 's', atMost(2))
    figure(`${who}: since its process started, its predecessor’s lease included`, sinceStartSeconds, 's')
  }
}

const MEASURES: Readonly<Record<Part, () => Promise<void>>> = { lone, speed, parallel, rollback, restart }
const isPart = (name: string): name is Part => (PARTS as readonly string[]).includes(name)

if (values.help || !positionals.every(isPart)) {
  console.log(help)
  process.exitCode = values.help ? 0 : 2
} else {
  const [load = 0] = loadavg()
  console.log(
    `${availableParallelism()} processors, load ${load.toFixed(1)}; each API call of controller and agents takes ${API_LATENCY_MS} ms more;`,
  )
  console.log(`their processes run with ${NODE_OPTIONS};`)
  console.log('a klusterlet takes 1 s for each restart on the way to its new hub.')
  console.log('overhead of the control plane for each cluster = (time of the whole migration − what a cluster in the')
  console.log('  median waits for its two-hub configuration, its first lease on the target, its certificate by the')
  console.log('  target’s own bootstrap and the end of its namespace on the source) ÷ clusters')
  for (const part of positionals.length > 0 ? positionals.filter(isPart) : PARTS) await MEASURES[part]()
  process.exit(0)
}
