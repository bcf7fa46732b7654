/** A cluster of nodes that run VMs: agents, scheduler and books, on any Kubernetes API and any OCI registry. */
import { type KubeClient, type KubeObject, resources, type Transport } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'
import { createIfAbsent } from '../hub/ensure.ts'
import { SnapshotStore } from '../registry/snapshot-store.ts'
import { type AgentKnobs, DEFAULT_AGENT_KNOBS } from './agent-knobs.ts'
import { type NodeOptions, nodeObject } from './node.ts'
import { Scheduler } from './scheduler.ts'
import { VmAgents } from './vm-agents.ts'

export interface VmClusterOptions {
  /** Cluster admin: it plays scheduler and node agents. */
  readonly client: KubeClient
  readonly registry: Transport
  /** Path in front of repository names, without slashes at its ends. */
  readonly registryPrefix?: string
  readonly registryHeaders?: Readonly<Record<string, string>>
  readonly nodes: readonly NodeOptions[]
  readonly knobs?: Partial<AgentKnobs>
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  readonly isGivenUp?: (vmName: string) => boolean
}

export interface VmCluster {
  readonly agents: VmAgents
  readonly scheduler: Scheduler
  /** Nobody has anything to do right now that needs no time. */
  isIdle(): boolean
  cordon(node: string, isCordoned: boolean): Promise<void>
  stop(): Promise<void>
}

/** Registers the nodes and starts everything. */
export async function startVmCluster(options: VmClusterOptions): Promise<VmCluster> {
  const { client, clock, random, logger, registry, registryPrefix, registryHeaders, isGivenUp } = options
  for (const node of options.nodes) await registerNode(client, node, clock)
  const knobs = { ...DEFAULT_AGENT_KNOBS, ...options.knobs }
  const agents = new VmAgents({
    client,
    store: new SnapshotStore(registry, registryPrefix, registryHeaders),
    nodes: options.nodes.map(({ name }) => name),
    knobs,
    clock,
    random,
    ...(logger && { logger }),
    ...(isGivenUp && { isGivenUp }),
  })
  const ports = { client, clock, random, ...(logger && { logger }) }
  const scheduler = new Scheduler({ ...ports, pods: agents.pods, podGcMs: knobs.podGcMs })
  await agents.start()
  await scheduler.start()
  return {
    agents,
    scheduler,
    isIdle: () => agents.load === 0 && scheduler.load === 0,
    cordon: async (name, unschedulable) => {
      await client.patch(resources.nodes, { name }, { spec: { unschedulable } })
    },
    stop: async () => {
      await scheduler.stop()
      await agents.stop()
    },
  }
}

async function registerNode(client: KubeClient, options: NodeOptions, clock: Clock): Promise<void> {
  const node = nodeObject(options, clock.now())
  await createIfAbsent<KubeObject>(client, resources.nodes, node)
  await client.patch(resources.nodes, { name: options.name }, { status: node.status }, { subresource: 'status' })
}
