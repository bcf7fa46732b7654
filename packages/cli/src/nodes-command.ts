import { cocoonHibernationCrd, cocoonSetCrd, DEFAULT_CONCURRENCY, readMovePlan } from '@godwit/nodes'
import { Command, InvalidArgumentError, Option } from 'commander'
import { clusterOf, type NodesOperatorOptions, nodesOperator } from './nodes-process.ts'

/** Flags, environment and defaults are those of the reference operator; what it does not have is ours. */
export function nodesCommand(): Command {
  const nodes = new Command('nodes').description('run CocoonSets and move their VMs between nodes')
  const option = (flags: string, text: string, fallback: string, env: string) =>
    new Option(flags, text).default(fallback).env(env)
  nodes
    .command('operator')
    .description('run the operator for CocoonSets and CocoonHibernations')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster; default: KUBECONFIG, then that of its pod')
    .option('--namespace <name>', 'only sets of this namespace; default: all')
    .option('--election-namespace <name>', 'namespace of the lease', 'cocoon-system')
    .addOption(new Option('--registry <base>', 'where snapshots are, as HOST/PATH').env('OCI_REGISTRY'))
    .addOption(option('--metrics-bind-address <address>', 'address of /metrics, 0 for none', ':8080', 'METRICS_ADDR'))
    .addOption(
      option(
        '--health-probe-bind-address <address>',
        'address of /healthz and /readyz, 0 for none',
        ':8081',
        'PROBE_ADDR',
      ),
    )
    .addOption(
      new Option('--probe-port <number>', 'one port for health and metrics, instead of the two').argParser(port),
    )
    .addOption(option('--leader-elect <boolean>', 'true or false', 'true', 'LEADER_ELECT'))
    .addOption(concurrency('--cocoonset-concurrency <number>', 'sets looked at in parallel', 'COCOONSET_CONCURRENCY'))
    .addOption(
      concurrency(
        '--hibernation-concurrency <number>',
        'hibernations looked at in parallel',
        'HIBERNATION_CONCURRENCY',
      ),
    )
    .addOption(option('--log-level <level>', 'debug, info, warn or error', 'info', 'OPERATOR_LOG_LEVEL'))
    .action((options: NodesOperatorOptions) => nodesOperator(options))
  nodes
    .command('plan')
    .description('say what a change of spec.nodeName would do; nothing is changed')
    .argument('<set>', 'name of the CocoonSet')
    .requiredOption('--node <name>', 'the node it is to move to')
    .option('--namespace <name>', 'namespace of the set', 'default')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster; default: KUBECONFIG')
    .action((name: string, options: PlanOptions) => showPlan(name, options))
  nodes
    .command('crds')
    .description('print the custom resource definitions, for kubectl apply -f -')
    .action(() => printCrds())
  return nodes
}

const concurrency = (flags: string, text: string, env: string) =>
  new Option(flags, text).default(DEFAULT_CONCURRENCY).argParser(atLeastOne).env(env)

function atLeastOne(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1) return number
  throw new InvalidArgumentError('give a whole number of at least 1')
}

export function port(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number
  throw new InvalidArgumentError('give a number from 0 to 65535')
}

interface PlanOptions {
  readonly node: string
  readonly namespace: string
  readonly kubeconfig?: string
}

/** Ends with code 2 when the node could not take the VM now. */
async function showPlan(name: string, { node, namespace, kubeconfig }: PlanOptions): Promise<void> {
  const client = clusterOf(kubeconfig)
  try {
    const plan = await readMovePlan(client, { namespace, name, host: node })
    if (!plan) throw new Error(`there is no CocoonSet ${namespace}/${name}`)
    console.log(plan.lines.join('\n'))
    if (!plan.isPossible) process.exitCode = 2
  } finally {
    await client.close()
  }
}

function printCrds(): void {
  const items = [cocoonSetCrd, cocoonHibernationCrd]
  console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2))
}
