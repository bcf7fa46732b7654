/** What a connected agent does on its hub, under the identity of its certificate. */
import { isConflict, type KubeClient, resources } from '@godwit/kube'
import { rfc3339Micro } from '@godwit/ports'
import { isTrue, type NewCondition, writeConditions } from '../foreign/conditions.ts'
import { conditions, LEASE_NAME } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { Lease, ManagedCluster } from '../foreign/types.ts'
import type { ClusterView } from './state.ts'

const CONFLICT_ATTEMPTS = 4
const DEFAULT_LEASE_SECONDS = 60

/** The ManagedCluster as far as the agent cares. */
export function viewOf(cluster: ManagedCluster): ClusterView {
  return {
    hubAcceptsClient: cluster.spec.hubAcceptsClient,
    isHubAccepted: isTrue(cluster, conditions.hubAccepted),
    isJoined: isTrue(cluster, conditions.joined),
    isAvailable: isTrue(cluster, conditions.available),
    leaseDurationMs: (cluster.spec.leaseDurationSeconds || DEFAULT_LEASE_SECONDS) * 1000,
  }
}

/** Conditions that a healthy agent reports. */
export const HEALTHY: readonly NewCondition[] = [
  { type: conditions.joined, status: 'True', reason: 'ManagedClusterJoined', message: 'Managed cluster joined' },
  {
    type: conditions.available,
    status: 'True',
    reason: 'ManagedClusterAvailable',
    message: 'Managed cluster is available',
  },
]

/** Facts about the cluster that its agent reports along. */
export function clusterFacts(cluster: string): Readonly<Record<string, unknown>> {
  const size = { cpu: '8', memory: '32Gi' }
  return {
    version: { kubernetes: 'v1.29.8' },
    capacity: size,
    allocatable: size,
    clusterClaims: [
      { name: 'id.k8s.io', value: cluster },
      { name: 'product.open-cluster-management.io', value: 'OpenShift' },
    ],
  }
}

/** Reports the cluster as joined and available; a writer in between is read anew. */
export async function reportHealthy(client: KubeClient, cluster: ManagedCluster, nowMs: number): Promise<void> {
  const { name } = cluster.metadata
  const write = { client, resource: foreign.managedClusters, wanted: HEALTHY, nowMs, fields: clusterFacts(name) }
  let object: ManagedCluster | undefined = cluster
  for (let attempt = 1; object; attempt++) {
    try {
      await writeConditions({ ...write, object })
      return
    } catch (error) {
      if (!isConflict(error) || attempt >= CONFLICT_ATTEMPTS) throw error
      object = await client.get<ManagedCluster>(foreign.managedClusters, { name })
    }
  }
}

/** Renews the cluster's lease; it never creates one. `nowMs` is the cluster's own clock. */
export async function renewLease(client: KubeClient, cluster: string, nowMs: number): Promise<void> {
  const patch = { spec: { renewTime: rfc3339Micro(nowMs) } }
  await client.patch(resources.leases, { name: LEASE_NAME, namespace: cluster }, patch)
}

/** Epoch milliseconds of the last renewal; undefined when there is no lease. */
export async function readLease(client: KubeClient, cluster: string): Promise<number | undefined> {
  const lease = await client.get<Lease>(resources.leases, { name: LEASE_NAME, namespace: cluster })
  const renewedAtMs = Date.parse(lease?.spec.renewTime ?? '')
  return Number.isNaN(renewedAtMs) ? undefined : renewedAtMs
}
