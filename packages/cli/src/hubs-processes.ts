/** The long-lived processes of hubs: connected, elected, probed. What they do is in @godwit/hubs. */
import { hostname } from 'node:os'
import { jsonLogger } from '@godwit/engine'
import { HubAgent, Metrics, processSamples, requestSamples, runController } from '@godwit/hubs'
import { KubeClient, LeaderElector } from '@godwit/kube'
import { type Logger, systemClock, systemRandom } from '@godwit/ports'
import { inClusterKubeconfig } from './in-cluster.ts'
import { startProbes } from './probe-server.ts'
import { untilStopped } from './until-stopped.ts'

interface CommonOptions {
  /** Absent: the ServiceAccount of the pod. */
  readonly kubeconfig?: string
  readonly probePort?: number
  readonly leaseSeconds: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

export interface ControllerOptions extends CommonOptions {
  readonly namespace: string
}

export interface AgentOptions extends CommonOptions {
  readonly hub: string
  readonly globalKubeconfig: string
  readonly concurrency: number
}

/** Requests under way at the same time to one API server. */
const MAX_SOCKETS = 48

export async function controller(options: ControllerOptions): Promise<void> {
  const { namespace, logLevel } = options
  const logger = jsonLogger({ component: 'hubs-controller', level: logLevel })
  const client = connect(options.kubeconfig, 'godwit-hubs-controller')
  const metrics = new Metrics()
  const shared = { client, namespace, identity: identity(), clock: systemClock, random: systemRandom, logger, metrics }
  await lead({
    election: { ...shared, name: 'godwit-hubs-controller' },
    options,
    metrics,
    servers: { 'global-hub': client },
    run: ({ epoch, signal }) => runController(shared, epoch, signal),
  })
}

export async function agent(options: AgentOptions): Promise<void> {
  const { hub: hubName, concurrency, logLevel } = options
  const logger = jsonLogger({ component: `hubs-agent/${hubName}`, level: logLevel })
  const globalHub = connect(options.globalKubeconfig, 'godwit-hubs-agent')
  const hub = connect(options.kubeconfig, 'godwit-hubs-agent')
  const metrics = new Metrics()
  const ports = { clock: systemClock, random: systemRandom, logger, metrics }
  await lead({
    election: { client: globalHub, namespace: hubName, name: 'godwit-hubs-agent', identity: identity(), ...ports },
    options,
    metrics,
    servers: { 'global-hub': globalHub, hub },
    run: ({ signal }) => new HubAgent({ hubName, hub, globalHub, concurrency, ...ports }).run(signal),
  })
}

export const connect = (path: string | undefined, userAgent: string) =>
  KubeClient.fromKubeconfig(path === undefined ? inClusterKubeconfig(process.env) : { path }, {
    userAgent,
    fieldManager: userAgent,
    maxSockets: MAX_SOCKETS,
  })

/** Different for every process, so that a restarted one never takes its predecessor's lease for its own. */
const identity = () => `${hostname()}-${process.pid}-${systemRandom.next().toString(36).slice(2, 10)}`

type Election = Omit<
  ConstructorParameters<typeof LeaderElector>[0],
  'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'
> & { readonly logger: Logger }

interface Leading {
  readonly election: Election
  readonly options: CommonOptions
  readonly metrics: Metrics
  /** By name for people and metrics. */
  readonly servers: Readonly<Record<string, KubeClient>>
  readonly run: Parameters<LeaderElector['run']>[1]
}

/** Stands by, leads when it is its turn, and gives the lease back when it is stopped. */
async function lead({ election, options, metrics, servers, run }: Leading): Promise<void> {
  const { logger, identity: me } = election
  const leaseDurationMs = options.leaseSeconds * 1000
  const elector = new LeaderElector({
    ...election,
    leaseDurationMs,
    renewDeadlineMs: leaseDurationMs * 0.66,
    retryPeriodMs: leaseDurationMs * 0.13,
  })
  logger.info({ identity: me, pid: process.pid }, 'started')
  const stopped = untilStopped()
  let isLeading = false
  metrics.add(() => [{ metric: 'godwit_leader', value: isLeading ? 1 : 0 }, ...processSamples()])
  for (const [name, client] of Object.entries(servers)) metrics.add(() => requestSamples(name, client))
  const probes =
    options.probePort === undefined
      ? undefined
      : await startProbes({
          port: options.probePort,
          clock: systemClock,
          notReady: () => notReady(servers, stopped),
          metrics: () => metrics.render(),
        })
  await elector.run(stopped, async term => {
    isLeading = true
    try {
      await run(term)
    } finally {
      isLeading = false
    }
  })
  await probes?.stop()
  await Promise.all(Object.values(servers).map(client => client.close()))
  logger.info({ identity: me }, 'stopped')
  await endProcess()
}

/** A leader that hangs on a dead server was given up by its elector: nothing of it may keep the process. */
async function endProcess(): Promise<never> {
  await new Promise(resolve => process.stdout.write('', resolve))
  process.exit()
}

/** Ready is who reaches its API servers: one that stands by is ready to take over. */
async function notReady(servers: Leading['servers'], stopped: AbortSignal): Promise<string | undefined> {
  if (stopped.aborted) return 'stopping'
  for (const [name, client] of Object.entries(servers)) {
    try {
      await client.request('GET', '/version', { timeoutMs: 3_000 })
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}
