/** The long-lived process of nodes: connected, elected, probed. What it does is in @godwit/nodes. */
import { hostname } from 'node:os'
import { jsonLogger } from '@godwit/engine'
import { KubeClient, LeaderElector } from '@godwit/kube'
import { checkConcurrency, dockerConfig, OperatorMetrics, ociRegistry, runOperator } from '@godwit/nodes'
import { systemClock, systemRandom } from '@godwit/ports'
import { inClusterKubeconfig } from './in-cluster.ts'
import { type ProbeServer, startProbes } from './probe-server.ts'
import { untilStopped } from './until-stopped.ts'

export interface NodesOperatorOptions {
  /** Absent: KUBECONFIG, then the ServiceAccount of the pod. */
  readonly kubeconfig?: string
  readonly namespace?: string
  readonly electionNamespace: string
  readonly registry?: string
  readonly metricsBindAddress: string
  readonly healthProbeBindAddress: string
  readonly probePort?: number
  readonly leaderElect: string
  readonly cocoonsetConcurrency: number
  readonly hibernationConcurrency: number
  readonly logLevel: string
}

const USER_AGENT = 'godwit-nodes-operator'
const ELECTION_ID = 'cocoon-operator.cocoonset.cocoonstack.io'
const MAX_SOCKETS = 48
const LEASE = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 }
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export async function nodesOperator(options: NodesOperatorOptions): Promise<void> {
  if (!options.registry) throw new Error('no registry: give --registry or OCI_REGISTRY')
  const setConcurrency = checkConcurrency('cocoonset-concurrency', options.cocoonsetConcurrency)
  const hibernationConcurrency = checkConcurrency('hibernation-concurrency', options.hibernationConcurrency)
  const stopped = untilStopped()
  const level = LEVELS.find(each => each === options.logLevel) ?? 'info'
  const logger = jsonLogger({ component: 'nodes-operator', level })
  const client = clusterOf(options.kubeconfig)
  const registry = ociRegistry({ base: options.registry, credentials: dockerConfig({ clock: systemClock }) })
  const metrics = new OperatorMetrics()
  const identity = `${hostname()}-${process.pid}-${systemRandom.next().toString(36).slice(2, 10)}`
  const ports = { client, identity, clock: systemClock, random: systemRandom, logger }
  const probes = await probesOf(options, client, metrics)
  const { namespace } = options
  const run = (signal: AbortSignal) =>
    runOperator(
      { ...ports, registry, metrics, setConcurrency, hibernationConcurrency, ...(namespace && { namespace }) },
      signal,
    )
  logger.info({ identity, pid: process.pid }, 'started')
  if (options.leaderElect === 'false') await run(stopped)
  else {
    const elector = new LeaderElector({ ...ports, ...LEASE, namespace: options.electionNamespace, name: ELECTION_ID })
    await elector.run(stopped, ({ signal }) => run(signal))
  }
  await Promise.all(probes.map(probe => probe.stop()))
  await Promise.all([client.close(), registry.close()])
  logger.info({ identity }, 'stopped')
}

/** The cluster of this file, else of KUBECONFIG, else the one this process runs in. */
export function clusterOf(kubeconfig: string | undefined): KubeClient {
  const path = kubeconfig ?? process.env['KUBECONFIG']
  return KubeClient.fromKubeconfig(path ? { path } : inClusterKubeconfig(process.env), {
    userAgent: USER_AGENT,
    fieldManager: USER_AGENT,
    maxSockets: MAX_SOCKETS,
  })
}

/** Both addresses answer all paths; one port for both is enough. */
async function probesOf(
  { probePort, metricsBindAddress, healthProbeBindAddress }: NodesOperatorOptions,
  client: KubeClient,
  metrics: OperatorMetrics,
): Promise<ProbeServer[]> {
  const given = [...new Set([metricsBindAddress, healthProbeBindAddress])]
  const addresses = probePort === undefined ? given.flatMap(address => addressOf(address) ?? []) : [{ port: probePort }]
  const notReady = async () => {
    await client.request('GET', '/version', { timeoutMs: 3_000 })
    return undefined
  }
  return await Promise.all(
    addresses.map(address =>
      startProbes({ ...address, clock: systemClock, notReady, metrics: () => metrics.render() }),
    ),
  )
}

/** `:8080`, `host:8080` or `[::1]:8080`; `0` switches it off. Throws for anything else. */
export function addressOf(address: string): { readonly port: number; readonly host?: string } | undefined {
  if (address === '0' || address === '') return undefined
  const {
    bracketed,
    plain,
    digits = '',
  } = /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:]*)):(?<digits>\d+)$/.exec(address)?.groups ?? {}
  const host = bracketed || plain
  const port = Number(digits)
  if (digits !== '' && port > 0 && port < 65_536) return { port, ...(host && { host }) }
  throw new Error(`${address} is not an address: give :PORT or HOST:PORT, or 0 for none`)
}
