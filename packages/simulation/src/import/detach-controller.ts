/**
 * What the import controller does when a ManagedCluster is deleted: forced for clusters that are refused or away, and
 * graceful (left to the registration side) for connected ones, whose klusterlet thereby is uninstalled.
 */
import { resources } from '@godwit/kube'
import { isTrue } from '../foreign/conditions.ts'
import { annotations, conditions, finalizers, workBindingName } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import { releaseBinding } from '../hub/cluster-rbac.ts'
import type { HubKnobs, Ports } from '../hub/context.ts'
import { type Controller, clusterOf, makeController, nameOf, onChangesOf } from '../hub/controller.ts'
import { forceDelete, removeFinalizers } from '../hub/ensure.ts'
import type { HubView } from '../hub/hub-view.ts'

export function detachController(view: HubView, ports: Ports, knobs: HubKnobs): Controller {
  return makeController({
    name: 'detach',
    ports,
    watches: [
      onChangesOf(view.managedClusters, (cluster, { type }) =>
        cluster.metadata.deletionTimestamp && type !== 'deleted' ? nameOf(cluster) : [],
      ),
      onChangesOf(view.manifestWorks, (work, { type }) => (type === 'deleted' ? clusterOf(work) : [])),
    ],
    reconcile: name => detach(view, knobs, name),
  })
}

async function detach(view: HubView, knobs: HubKnobs, name: string): Promise<number | undefined> {
  const { client } = view.access
  const cluster = view.managedClusters.get({ name })
  if (!cluster?.metadata.deletionTimestamp) return undefined
  const ours = [finalizers.importCleanup, finalizers.importWorkCleanup] as readonly string[]
  if (!cluster.metadata.finalizers?.some(each => ours.includes(each))) return undefined
  const works = view.manifestWorks.list(name)
  const addOns = view.addOns.list(name)
  if (works.length + addOns.length > 0) {
    const isForced = !cluster.spec.hubAcceptsClient || !isTrue(cluster, conditions.available)
    if (isForced) await forceContent(view, name)
    return knobs.detachPollMs
  }
  await removeFinalizers(client, foreign.managedClusters, cluster, each => ours.includes(each))
  return undefined
}

async function forceContent(view: HubView, cluster: string): Promise<void> {
  const { client } = view.access
  for (const addOn of view.addOns.list(cluster)) await forceDelete(client, foreign.managedClusterAddOns, addOn)
  for (const work of view.manifestWorks.list(cluster)) await forceDelete(client, foreign.manifestWorks, work)
  const binding = view.roleBindings.get({ name: workBindingName(cluster), namespace: cluster })
  if (binding) await releaseBinding(client, binding)
}

/** Deletes a cluster's namespace once the cluster is gone and nothing of it is left to look after. */
export function namespaceController(view: HubView, ports: Ports, knobs: HubKnobs): Controller {
  return makeController({
    name: 'cluster-namespace',
    ports,
    watches: [
      onChangesOf(view.managedClusters, (cluster, { type }) => (type === 'deleted' ? nameOf(cluster) : [])),
      onChangesOf(view.namespaces, (namespace, { type }) => (type === 'added' ? nameOf(namespace) : [])),
    ],
    reconcile: name => deleteNamespace(view, knobs, name),
  })
}

async function deleteNamespace(view: HubView, knobs: HubKnobs, name: string): Promise<number | undefined> {
  const { client } = view.access
  const namespace = view.namespaces.get({ name })
  if (!namespace || namespace.metadata.deletionTimestamp) return undefined
  if (view.managedClusters.get({ name })) return undefined
  if (namespace.metadata.annotations?.[annotations.retainNamespace] !== undefined) return undefined
  const deployments = await client.list(foreign.clusterDeployments, { namespace: name })
  if (view.addOns.list(name).length + deployments.items.length > 0) return knobs.detachPollMs
  await client.delete(resources.namespaces, { name })
  return undefined
}
