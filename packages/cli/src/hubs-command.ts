import {
  GLOBAL_HUB_NAMESPACE,
  managedClusterMigrationCrd,
  migrationTaskCrd,
  readStatus,
  renderStatus,
} from '@godwit/hubs'
import { Command, InvalidArgumentError } from 'commander'
import { type AgentOptions, agent, type ControllerOptions, connect, controller } from './hubs-processes.ts'

interface StatusOptions {
  readonly kubeconfig: string
  readonly namespace: string
  readonly json?: boolean
}

export function hubsCommand(): Command {
  const hubs = new Command('hubs').description('move managed clusters between Open Cluster Management hubs')
  common(hubs.command('controller').description('run the controller on the global hub'))
    .option('--namespace <name>', 'namespace of the migrations', GLOBAL_HUB_NAMESPACE)
    .action(async (options: ControllerOptions) => controller(options))
  common(hubs.command('agent').description('run the agent of one hub'))
    .requiredOption('--hub <name>', 'name of the hub: a ManagedCluster of the global hub')
    .requiredOption('--global-kubeconfig <file>', 'kubeconfig of the global hub, confined to the namespace of the hub')
    .option('--concurrency <number>', 'clusters that act on the hub at the same time', positive, 24)
    .action(async (options: AgentOptions) => agent(options))
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
    .option('--kubeconfig <file>', 'kubeconfig of the API server this process works on; default: that of its pod')
    .option('--probe-port <number>', 'port of /healthz, /readyz and /metrics; default: none', positive)
    .option('--lease-seconds <number>', 'how long a dead leader is waited for', positive, 15)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
}

function positive(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new InvalidArgumentError('give a whole number above zero')
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
