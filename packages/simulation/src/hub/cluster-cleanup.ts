/** What the registration side does when a ManagedCluster is deleted: add-ons, then works by priority, then RBAC. */
import { annotations, finalizers } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManifestWork } from '../foreign/types.ts'
import { deleteClusterRbac } from './cluster-rbac.ts'
import type { HubKnobs, Ports } from './context.ts'
import { type Controller, clusterOf, makeController, nameOf, onChangesOf } from './controller.ts'
import { removeFinalizers } from './ensure.ts'
import type { HubView } from './hub-view.ts'

export function clusterCleanup(view: HubView, ports: Ports, knobs: HubKnobs): Controller {
  return makeController({
    name: 'cluster-cleanup',
    ports,
    watches: [
      onChangesOf(view.managedClusters, cluster => (cluster.metadata.deletionTimestamp ? nameOf(cluster) : [])),
      onChangesOf(view.manifestWorks, (work, { type }) => (type === 'deleted' ? clusterOf(work) : [])),
      onChangesOf(view.addOns, (addOn, { type }) => (type === 'deleted' ? clusterOf(addOn) : [])),
    ],
    reconcile: name => reconcile(view, knobs, name),
  })
}

const priorityOf = (work: ManifestWork) => Number(work.metadata.annotations?.[annotations.cleanupPriority] ?? 0)

async function reconcile(view: HubView, knobs: HubKnobs, name: string): Promise<number | undefined> {
  const { client } = view.access
  const cluster = view.managedClusters.get({ name })
  if (!cluster?.metadata.deletionTimestamp) return undefined
  const held = cluster.metadata.finalizers ?? []
  if (held.includes(finalizers.resourceCleanup)) {
    if (await deleteContent(view, name)) return knobs.detachPollMs
    await removeFinalizers(client, foreign.managedClusters, cluster, each => each === finalizers.resourceCleanup)
    return undefined
  }
  if (!held.includes(finalizers.apiResourceCleanup)) return undefined
  await deleteClusterRbac(view, name)
  await removeFinalizers(client, foreign.managedClusters, cluster, each => each === finalizers.apiResourceCleanup)
  return undefined
}

/** Deletes the next layer of the namespace's content; false when nothing is left. */
async function deleteContent(view: HubView, cluster: string): Promise<boolean> {
  const { client } = view.access
  const addOns = view.addOns.list(cluster)
  for (const { metadata } of addOns)
    if (!metadata.deletionTimestamp)
      await client.delete(foreign.managedClusterAddOns, { name: metadata.name, namespace: cluster })
  if (addOns.length > 0) return true
  const works = view.manifestWorks.list(cluster)
  const lowest = Math.min(...works.map(priorityOf))
  for (const work of works)
    if (priorityOf(work) === lowest && !work.metadata.deletionTimestamp)
      await client.delete(foreign.manifestWorks, { name: work.metadata.name, namespace: cluster })
  return works.length > 0
}
