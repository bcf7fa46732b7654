/** Gives every known cluster a lease, and calls it unreachable when nobody renews that. It never says "available". */
import { resources } from '@godwit/kube'
import { rfc3339Micro } from '@godwit/ports'
import { findCondition, writeConditions } from '../foreign/conditions.ts'
import { conditions, LEASE_NAME } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { Lease, ManagedCluster } from '../foreign/types.ts'
import type { Ports } from './context.ts'
import { type Controller, clusterOf, makeController, nameOf, onChangesOf } from './controller.ts'
import { createIfAbsent } from './ensure.ts'
import type { HubView } from './hub-view.ts'

/** How many lease durations may pass without renewal. */
const GRACE_DURATIONS = 5
const DEFAULT_LEASE_SECONDS = 60

export function leaseController(view: HubView, ports: Ports): Controller {
  return makeController({
    name: 'lease',
    ports,
    workers: 16,
    watches: [
      onChangesOf(view.managedClusters, nameOf),
      // A renewal needs no look: the planned one at the old expiry finds it.
      onChangesOf(view.leases, (lease, { type }) => (type === 'deleted' ? clusterOf(lease) : [])),
    ],
    reconcile: name => reconcile(view, ports, name),
  })
}

async function reconcile(view: HubView, ports: Ports, name: string): Promise<number | undefined> {
  const { client } = view.access
  const cluster = view.managedClusters.get({ name })
  if (!cluster || cluster.metadata.deletionTimestamp) return undefined
  if (!findCondition(cluster, conditions.hubAccepted)) return undefined
  const nowMs = ports.clock.now()
  const lease = view.leases.get({ name: LEASE_NAME, namespace: name })
  const graceMs = (cluster.spec.leaseDurationSeconds || DEFAULT_LEASE_SECONDS) * GRACE_DURATIONS * 1000
  if (!lease) {
    await createIfAbsent(client, resources.leases, newLease(name, nowMs))
    return graceMs
  }
  const leftMs = Date.parse(lease.spec.renewTime ?? '') + graceMs - nowMs
  if (leftMs >= 0) return leftMs + 1
  await markUnknown(view, cluster, nowMs)
  return undefined
}

/** The lease as the hub makes it. */
export const newLease = (cluster: string, nowMs: number): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: LEASE_NAME, namespace: cluster },
  spec: { holderIdentity: LEASE_NAME, leaseDurationSeconds: DEFAULT_LEASE_SECONDS, renewTime: rfc3339Micro(nowMs) },
})

async function markUnknown(view: HubView, cluster: ManagedCluster, nowMs: number): Promise<void> {
  await writeConditions({
    client: view.access.client,
    resource: foreign.managedClusters,
    object: cluster,
    nowMs,
    wanted: [
      {
        type: conditions.available,
        status: 'Unknown',
        reason: 'ManagedClusterLeaseUpdateStopped',
        message: 'Registration agent stopped updating its lease.',
      },
    ],
  })
}
