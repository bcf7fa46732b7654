/** The import controller of a hub: import Secret, klusterlet works, import status. */
import type { KubeObject } from '@godwit/kube'
import { findCondition, isTrue, writeConditions } from '../foreign/conditions.ts'
import { annotations, conditions, finalizers, klusterletWorkName } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedCluster } from '../foreign/types.ts'
import type { HubKnobs, Ports } from '../hub/context.ts'
import { type Controller, clusterOf, makeController, nameOf, onChangesOf } from '../hub/controller.ts'
import { addFinalizers } from '../hub/ensure.ts'
import type { HubView } from '../hub/hub-view.ts'
import { ensureImportSecret } from './import-config.ts'
import { clustersOf, configsUsing } from './klusterlet-config.ts'
import { ensureKlusterletWorks } from './klusterlet-works.ts'
import { SettledImports } from './settled-imports.ts'

export function importController(view: HubView, ports: Ports, knobs: HubKnobs): Controller {
  const settled = new SettledImports(view, knobs)
  return makeController({
    name: 'import',
    ports,
    workers: 16,
    watches: [
      onChangesOf(view.managedClusters, (cluster, { type, previous }) =>
        type === 'deleted' || (previous && isSameInput(cluster, previous)) ? [] : nameOf(cluster),
      ),
      onChangesOf(view.namespaces, nameOf),
      onChangesOf(view.klusterletConfigs, ({ metadata }) => clustersOf(view, metadata.name)),
      onChangesOf(view.engineSecrets, ({ metadata }) =>
        configsUsing(view, metadata.name).flatMap(config => clustersOf(view, config)),
      ),
      onChangesOf(view.manifestWorks, (work, { type }) => (type === 'deleted' ? clusterOf(work) : [])),
      onChangesOf(view.importSecrets, (secret, { type }) => (type === 'deleted' ? clusterOf(secret) : [])),
    ],
    reconcile: name => reconcile(view, knobs, settled, name),
  })
}

/** Status is written often and concerns this controller not at all. */
const isSameInput = (now: KubeObject, before: KubeObject) =>
  now.metadata.generation === before.metadata.generation &&
  now.metadata.deletionTimestamp === before.metadata.deletionTimestamp &&
  JSON.stringify([now.metadata.annotations, now.metadata.labels, now.metadata.finalizers]) ===
    JSON.stringify([before.metadata.annotations, before.metadata.labels, before.metadata.finalizers])

const isImportable = (cluster: ManagedCluster) =>
  !cluster.metadata.deletionTimestamp && cluster.metadata.annotations?.[annotations.deployMode] !== 'Hosted'

async function reconcile(view: HubView, knobs: HubKnobs, settled: SettledImports, name: string): Promise<undefined> {
  const cluster = view.managedClusters.get({ name })
  const namespace = view.namespaces.get({ name })
  if (!cluster) settled.forget(name)
  if (!cluster || !isImportable(cluster) || !namespace || namespace.metadata.deletionTimestamp) return
  const wanted = [finalizers.importCleanup, finalizers.importWorkCleanup]
  if (await addFinalizers(view.access.client, foreign.managedClusters, cluster, wanted)) return
  if (settled.has(cluster)) return
  const inputs = settled.inputsOf(cluster)
  const { secretVersion, ...manifests } = await ensureImportSecret(view, cluster)
  const generations = await ensureKlusterletWorks(view, cluster, manifests, knobs.importControllerMode)
  settled.remember(cluster, { inputs, secretVersion, generations })
}

/** Tells from the klusterlet work whether the import succeeded. */
export function importStatusController(view: HubView, ports: Ports): Controller {
  return makeController({
    name: 'import-status',
    ports,
    watches: [
      onChangesOf(view.managedClusters, nameOf),
      onChangesOf(view.manifestWorks, (work, { type, previous }) => {
        const cluster = work.metadata.namespace ?? ''
        if (work.metadata.name !== klusterletWorkName(cluster)) return []
        const isSame =
          type === 'updated' &&
          previous &&
          isTrue(work, conditions.workAvailable) === isTrue(previous, conditions.workAvailable)
        return isSame ? [] : [cluster]
      }),
    ],
    reconcile: name => reconcileStatus(view, ports, name),
  })
}

async function reconcileStatus(view: HubView, ports: Ports, name: string): Promise<undefined> {
  const cluster = view.managedClusters.get({ name })
  if (!cluster || cluster.metadata.deletionTimestamp || !findCondition(cluster, conditions.hubAccepted)) return
  const work = view.manifestWorks.get({ name: klusterletWorkName(name), namespace: name })
  const isImported = work !== undefined && isTrue(work, conditions.workAvailable)
  await writeConditions({
    client: view.access.client,
    resource: foreign.managedClusters,
    object: cluster,
    nowMs: ports.clock.now(),
    wanted: [
      {
        type: conditions.importSucceeded,
        status: isImported ? 'True' : 'False',
        reason: isImported ? 'ManagedClusterImported' : 'ManagedClusterWaitForImporting',
        message: isImported ? 'Import succeeded' : 'Wait for importing',
      },
    ],
  })
}
