/** The target agent's side of one cluster: how its world is observed and how effects are performed. */
import { Terminal } from '@godwit/core'
import { type KubeClient, type KubeObject, resources } from '@godwit/kube'
import type { ItemJob, Remembered, Role } from '../agent/advance.ts'
import { type Evidence, leaseMark } from '../agent/facts.ts'
import type { HubWorld } from '../agent/hub-world.ts'
import { isMarked } from '../agent/marks.ts'
import {
  annotation,
  annotations,
  importBootstrapUser,
  klusterletWorkName,
  LEASE_NAME,
  type Lease,
  labels,
  type ManagedCluster,
  type ManifestWork,
  type MigrationTask,
  ocm,
  provisioning,
} from '../api/index.ts'
import { applyItem, type ItemTarget, namesOf, unmarkItem, withdrawItem } from '../bundle/apply-item.ts'
import { itemOf } from '../bundle/bundle.ts'
import type { BundleReader } from '../bundle/bundle-reader.ts'
import { isIntroduced, isTakenOverBy, receiptsOf, type TargetItemFacts } from './item-facts.ts'
import { type TargetItemEffect, targetItemTable } from './item-table.ts'

export const targetItemRole: Role<TargetItemFacts, TargetItemEffect> = {
  table: targetItemTable,
  undoesAtLeast: 'Deploying',
  hasRelapsed: isIntroduced,
  journal: () => ({}),
  receipts: receiptsOf,
}

export interface TargetSide {
  readonly world: HubWorld
  readonly bundles: BundleReader
  /** Whom the hub knows as the holder of the migration's credential; undefined until the controller has told. */
  readonly migrationUser: (migrationUid: string) => string | undefined
}

export function observe(side: TargetSide, task: MigrationTask, name: string, remembered: Remembered): TargetItemFacts {
  const { world } = side
  const wish = task.spec.items?.[name]
  const { uid } = task.spec.migration
  const namespace = world.namespace(name)
  const requests = world.certificateRequests(name)
  const user = side.migrationUser(uid)
  return {
    ...remembered,
    name,
    migrationUid: uid,
    bundle: wish?.bundle && wish.digest ? { secret: wish.bundle, digest: wish.digest } : undefined,
    cluster: world.cluster(name),
    namespace: namespace && {
      isOurs: isMarked(namespace, uid),
      isTerminating: namespace.metadata.deletionTimestamp !== undefined,
      isRetained: annotation(namespace, annotations.retainNamespace) !== undefined,
    },
    work: world.work(name),
    lease: world.lease(name),
    ownBootstrapRequests: requests.filter(({ spec }) => spec?.username === importBootstrapUser(name)),
    usesMigrationCredential: user !== undefined && requests.some(({ spec }) => spec?.username === user),
  }
}

export async function perform(
  side: TargetSide,
  { task, name, progress }: ItemJob,
  effect: TargetItemEffect,
): Promise<Evidence | undefined> {
  const { world } = side
  const { client } = world
  const target = { client, cluster: name, migrationUid: task.spec.migration.uid }
  switch (effect.kind) {
    case 'adopt': {
      const patch = { metadata: { annotations: { [annotations.migration]: task.spec.migration.uid } } }
      const { resourceVersion } = effect
      world.wrote(await client.patch(ocm.managedClusters, { name }, patch, { precondition: { resourceVersion } }))
      return undefined
    }
    case 'applyBundle':
      return apply(target, await openItem(side, task, name, effect), effect.digest)
    case 'enableAutoImport':
      await enableAutoImport(world, name)
      return undefined
    case 'unmark': {
      const seen = { cluster: world.cluster(name), namespace: world.namespace(name) }
      const unmarked = await unmarkItem(target, progress.evidence?.['objects'] ?? '', seen)
      if (unmarked) world.wrote(unmarked)
      return undefined
    }
    case 'deny':
      await readNotTakenOver(client, name)
      world.wrote(await client.patch(ocm.managedClusters, { name }, { spec: { hubAcceptsClient: false } }))
      return undefined
    case 'withdraw':
      await readNotJoined(client, { task, name, progress })
      await withdrawItem(target)
      return undefined
  }
}

async function apply(target: ItemTarget, objects: readonly KubeObject[], digest: string): Promise<Evidence> {
  await applyItem(target, objects)
  return { applied: digest, objects: namesOf(objects) }
}

async function openItem(
  side: TargetSide,
  task: MigrationTask,
  name: string,
  effect: { readonly secret: string; readonly digest: string },
): Promise<readonly KubeObject[]> {
  const { uid } = task.spec.migration
  return itemOf(await side.bundles.read(effect.secret, uid), name, effect.digest)
}

async function enableAutoImport(world: HubWorld, name: string): Promise<void> {
  const { client } = world
  if (await client.serves(provisioning.imageClusterInstalls)) {
    const ref = { name, namespace: name }
    const install = await client.get<KubeObject>(provisioning.imageClusterInstalls, ref)
    if (install?.metadata.labels?.[labels.veleroRestore] === 'globalhub')
      await client.patch(provisioning.imageClusterInstalls, ref, {
        metadata: { labels: { [labels.veleroRestore]: null } },
      })
  }
  const patch = { metadata: { annotations: { [annotations.disableAutoImport]: null } } }
  world.wrote(await client.patch(ocm.managedClusters, { name }, patch))
}

/** Denied here, a klusterlet that knows this hub alone would belong to nobody. */
async function readNotTakenOver(client: KubeClient, name: string): Promise<void> {
  const work = await client.get<ManifestWork>(ocm.manifestWorks, { name: klusterletWorkName(name), namespace: name })
  if (isTakenOverBy(work))
    throw new Terminal('ClusterJoined', `managed cluster ${name} has been given the target hub's own bootstrap`)
}

/** A connected, accepted cluster would be detached gracefully, which uninstalls its klusterlet (H-52). */
async function readNotJoined(client: KubeClient, { task, name, progress }: ItemJob): Promise<void> {
  const [cluster, lease] = await Promise.all([
    client.get<ManagedCluster>(ocm.managedClusters, { name }),
    client.get<Lease>(resources.leases, { name: LEASE_NAME, namespace: name }),
  ])
  if (!cluster || annotation(cluster, annotations.migration) !== task.spec.migration.uid) return
  const baseline = progress.evidence?.['leaseAtDeploy']
  const isRenewed = baseline !== undefined && lease !== undefined && leaseMark(lease) !== baseline
  const hasCome = isRenewed || progress.evidence?.['came'] !== undefined
  if (hasCome && cluster.spec?.hubAcceptsClient === true)
    throw new Terminal('ClusterJoined', `managed cluster ${name} is connected to the target hub: deny it there first`)
}
