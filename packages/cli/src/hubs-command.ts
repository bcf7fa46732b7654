import { hostname } from 'node:os'
import { jsonLogger } from '@godwit/engine'
import {
  GLOBAL_HUB_NAMESPACE,
  HubAgent,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  readStatus,
  renderStatus,
  runController,
} from '@godwit/hubs'
import { KubeClient, LeaderElector } from '@godwit/kube'
import { type Logger, systemClock, systemRandom } from '@godwit/ports'
import { Command, InvalidArgumentError } from 'commander'
import { untilStopped } from './until-stopped.ts'

interface CommonOptions {
  readonly kubeconfig: string
  readonly leaseSeconds: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

interface ControllerOptions extends CommonOptions {
  readonly namespace: string
}

interface AgentOptions extends CommonOptions {
  readonly hub: string
  readonly globalKubeconfig: string
  readonly concurrency: number
}

interface StatusOptions {
  readonly kubeconfig: string
  readonly namespace: string
  readonly json?: boolean
}

/** Requests under way at the same time to one API server. */
const MAX_SOCKETS = 48

export function hubsCommand(): Command {
  const hubs = new Command('hubs').description('move managed clusters between Open Cluster Management hubs')
  common(hubs.command('controller').description('run the controller on the global hub'))
    .option('--namespace <name>', 'namespace of the migrations', GLOBAL_HUB_NAMESPACE)
    .action((options: ControllerOptions) => controller(options))
  common(hubs.command('agent').description('run the agent of one hub'))
    .requiredOption('--hub <name>', 'name of the hub: a ManagedCluster of the global hub')
    .requiredOption('--global-kubeconfig <file>', 'kubeconfig of the global hub, confined to the namespace of the hub')
    .option('--concurrency <number>', 'clusters that act on the hub at the same time', positive, 24)
    .action((options: AgentOptions) => agent(options))
  hubs
    .command('status')
    .description('show a migration and each of its clusters')
    .argument('<name>', 'name of the migration')
    .requiredOption('--kubeconfig <file>', 'kubeconfig of the global hub')
    .option('--namespace <name>', 'namespace of the migration', GLOBAL_HUB_NAMESPACE)
    .option('--json', 'for programs')
    .action((name: string, options: StatusOptions) => showStatus(name, options))
  hubs
    .command('crds')
    .description('print the custom resource definitions, for kubectl apply -f -')
    .action(() => printCrds())
  return hubs
}

function common(command: Command): Command {
  return command
    .requiredOption('--kubeconfig <file>', 'kubeconfig of the API server this process works on')
    .option('--lease-seconds <number>', 'how long a dead leader is waited for', positive, 15)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
}

function positive(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new InvalidArgumentError('give a whole number above zero')
}

async function controller(options: ControllerOptions): Promise<void> {
  const logger = jsonLogger({ component: 'hubs-controller', level: options.logLevel })
  const client = await connect(options.kubeconfig, 'godwit-hubs-controller')
  const { namespace } = options
  const shared = { client, namespace, identity: identity(), clock: systemClock, random: systemRandom, logger }
  await lead({ ...shared, name: 'godwit-hubs-controller' }, options.leaseSeconds, logger, ({ epoch, signal }) =>
    runController(shared, epoch, signal),
  )
  await client.close()
}

async function agent(options: AgentOptions): Promise<void> {
  const logger = jsonLogger({ component: `hubs-agent/${options.hub}`, level: options.logLevel })
  const globalHub = await connect(options.globalKubeconfig, 'godwit-hubs-agent')
  const hub = await connect(options.kubeconfig, 'godwit-hubs-agent')
  const ports = { clock: systemClock, random: systemRandom, logger }
  const election = {
    client: globalHub,
    namespace: options.hub,
    name: 'godwit-hubs-agent',
    identity: identity(),
    ...ports,
  }
  const { hub: hubName, concurrency } = options
  await lead(election, options.leaseSeconds, logger, ({ signal }) =>
    new HubAgent({ hubName, hub, globalHub, concurrency, ...ports }).run(signal),
  )
  await Promise.all([globalHub.close(), hub.close()])
}

const connect = (path: string, userAgent: string) =>
  KubeClient.fromKubeconfig({ path }, { userAgent, fieldManager: userAgent, maxSockets: MAX_SOCKETS })

/** Different for every process, so that a restarted one never takes its predecessor's lease for its own. */
const identity = () => `${hostname()}-${process.pid}-${systemRandom.next().toString(36).slice(2, 10)}`

type Election = Omit<
  ConstructorParameters<typeof LeaderElector>[0],
  'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'
>
type Lead = Parameters<LeaderElector['run']>[1]

async function lead(election: Election, leaseSeconds: number, logger: Logger, run: Lead): Promise<void> {
  const leaseDurationMs = leaseSeconds * 1000
  const elector = new LeaderElector({
    ...election,
    leaseDurationMs,
    renewDeadlineMs: leaseDurationMs * 0.66,
    retryPeriodMs: leaseDurationMs * 0.13,
  })
  logger.info({ identity: election.identity, pid: process.pid }, 'started')
  await elector.run(untilStopped(), run)
  logger.info({ identity: election.identity }, 'stopped')
}

async function showStatus(name: string, { kubeconfig, namespace, json }: StatusOptions): Promise<void> {
  const client = await connect(kubeconfig, 'godwit-hubs-status')
  try {
    const view = await readStatus(client, { name, namespace })
    if (!view) throw new Error(`there is no ManagedClusterMigration ${namespace}/${name}`)
    console.log(json ? JSON.stringify(view, undefined, 2) : renderStatus(view))
  } finally {
    await client.close()
  }
}

function printCrds(): void {
  const items = [managedClusterMigrationCrd, migrationTaskCrd]
  console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2))
}
