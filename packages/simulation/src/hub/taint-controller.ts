/** Taints clusters that are not available, so that placements avoid them. */
import { rfc3339 } from '@godwit/ports'
import { findCondition } from '../foreign/conditions.ts'
import { conditions, taints } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedCluster, Taint } from '../foreign/types.ts'
import type { Ports } from './context.ts'
import { type Controller, makeController, nameOf, onChangesOf } from './controller.ts'
import type { HubView } from './hub-view.ts'

export function taintController(view: HubView, ports: Ports): Controller {
  return makeController({
    name: 'taint',
    ports,
    watches: [onChangesOf(view.managedClusters, nameOf)],
    reconcile: name => reconcile(view, ports, name),
  })
}

function wantedTaint(cluster: ManagedCluster): string | undefined {
  const available = findCondition(cluster, conditions.available)
  if (available?.status === 'True') return undefined
  return available?.status === 'False' ? taints.unavailable : taints.unreachable
}

async function reconcile(view: HubView, ports: Ports, name: string): Promise<undefined> {
  const cluster = view.managedClusters.get({ name })
  if (!cluster || cluster.metadata.deletionTimestamp) return
  const present = cluster.spec.taints ?? []
  const wanted = wantedTaint(cluster)
  const kept = present.filter(({ key }) => (key !== taints.unavailable && key !== taints.unreachable) || key === wanted)
  const isMissing = wanted && !kept.some(({ key }) => key === wanted)
  if (kept.length === present.length && !isMissing) return
  const added: Taint[] = isMissing ? [{ key: wanted, effect: 'NoSelect', timeAdded: rfc3339(ports.clock.now()) }] : []
  const { resourceVersion } = cluster.metadata
  await view.access.client.patch(
    foreign.managedClusters,
    { name },
    { spec: { taints: [...kept, ...added] } },
    resourceVersion ? { precondition: { resourceVersion } } : {},
  )
}
