/** The world of the demo of nodes: an API server over TLS with RBAC, a registry, three nodes, all in this process. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { cocoonHibernationCrd, cocoonSetCrd, operatorRules } from '@godwit/nodes'
import { seededRandom, systemClock } from '@godwit/ports'
import { EmbeddedRegistry, InvariantWatch, startVmCluster, type VmCluster } from '@godwit/simulation'

export const NODES = ['node-a', 'node-b', 'node-c'] as const
export const NAMESPACE = 'demo'
const OPERATOR = 'godwit-nodes-operator'
const PREFIX = 'vms'

export interface NodesDemoWorld {
  /** Cluster admin. */
  readonly client: KubeClient
  readonly cluster: VmCluster
  readonly watch: InvariantWatch
  /** `HOST/PATH` of the registry, as the operator is given it. */
  readonly registryBase: string
  /** Requests of the operator so far. */
  readonly calls: () => number
  /** Paths of kubeconfigs. */
  readonly kubeconfigs: { readonly admin: string; readonly operator: string }
  stop(): Promise<void>
}

export async function startNodesWorld(): Promise<NodesDemoWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'godwit-demo-'))
  let calls = 0
  const server = await KubeServer.start({
    tls: true,
    auth: { users: [{ name: OPERATOR, token: randomBytes(24).toString('base64url'), groups: [] }] },
    onRequest: ({ user }) => {
      if (user === OPERATOR) calls++
    },
  })
  const registry = await EmbeddedRegistry.start()
  const client = new KubeClient({ transport: server.transport('admin'), userAgent: 'simulation' })
  await prepare(client)
  const cluster = await startVmCluster({
    client,
    registry: registry.transport(),
    registryPrefix: PREFIX,
    nodes: NODES.map(name => ({ name })),
    clock: systemClock,
    random: seededRandom(1),
  })
  const startedAt = systemClock.now()
  const watch = new InvariantWatch({
    agents: cluster.agents,
    content: registry.content,
    prefix: PREFIX,
    isGivenUp: () => false,
    moment: () => `${((systemClock.now() - startedAt) / 1000).toFixed(1)} s`,
  })
  const kubeconfigs = { admin: join(folder, 'admin.kubeconfig'), operator: join(folder, 'operator.kubeconfig') }
  await writeFile(kubeconfigs.admin, server.kubeconfig('admin'), { mode: 0o600 })
  await writeFile(kubeconfigs.operator, server.kubeconfig(OPERATOR), { mode: 0o600 })
  return {
    client,
    cluster,
    watch,
    registryBase: `${registry.host}/${PREFIX}`,
    calls: () => calls,
    kubeconfigs,
    async stop() {
      watch.stop()
      await cluster.stop()
      await registry.stop()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The operator may do what the shipped rules say, and nothing else. */
async function prepare(client: KubeClient): Promise<void> {
  for (const crd of [cocoonSetCrd, cocoonHibernationCrd])
    await client.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const role = { apiVersion, kind: 'ClusterRole', metadata: { name: OPERATOR }, rules: operatorRules }
  const binding = {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: OPERATOR },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: OPERATOR },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: OPERATOR }],
  }
  await client.create<KubeObject>(resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  })
  await client.create<KubeObject>(resources.clusterRoles, role)
  await client.create<KubeObject>(resources.clusterRoleBindings, binding)
}
