/** The source agent's side of one cluster: how its world is observed and how effects are performed. */
import { Retryable, Terminal } from '@godwit/core'
import { isConflict, type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import type { ItemJob, Remembered, Role } from '../agent/advance.ts'
import type { Evidence, ObjectRef } from '../agent/facts.ts'
import { journalKey, recall } from '../agent/facts.ts'
import { type HubWorld, PAUSABLE } from '../agent/hub-world.ts'
import {
  annotation,
  annotations,
  klusterletWorkName,
  LEASE_NAME,
  type ManagedCluster,
  type ManifestWork,
  type MigrationTask,
  ocm,
} from '../api/index.ts'
import { deleteWithoutDeprovisioning } from '../bundle/apply-item.ts'
import { packItem } from '../bundle/bundle.ts'
import type { BundleWriter } from '../bundle/bundle-writer.ts'
import { collect } from '../bundle/collect.ts'
import {
  carriesConfig,
  claimOf,
  isConfigDelivered,
  journalFor,
  type Pausable,
  receiptsOf,
  type SourceItemFacts,
} from './item-facts.ts'
import { type SourceItemEffect, sourceItemTable } from './item-table.ts'

export const sourceItemRole: Role<SourceItemFacts, SourceItemEffect> = {
  table: sourceItemTable,
  journal: journalFor,
  receipts: receiptsOf,
}

const PAUSE_KEY: Readonly<Record<string, string>> = {
  ClusterDeployment: annotations.hivePause,
  BareMetalHost: annotations.metal3Pause,
  DataImage: annotations.metal3Pause,
}

const pausableOf = (object: KubeObject): Pausable => {
  const { name, namespace, finalizers = [] } = object.metadata
  const key = PAUSE_KEY[object.kind] ?? annotations.hivePause
  return {
    ref: { kind: object.kind, name, ...(namespace && { namespace }) },
    key,
    value: annotation(object, key),
    finalizers,
  }
}

function hasNamespace(world: HubWorld, name: string): boolean {
  const namespace = world.namespace(name)
  return namespace !== undefined && annotation(namespace, annotations.retainNamespace) === undefined
}

export interface SourceSide {
  readonly world: HubWorld
  /** Base64 of the bootstrap kubeconfig on this hub that leads to hub `to`. */
  readonly bootstrapKubeconfig: (to: string) => string | undefined
  readonly bundleWriter: (task: MigrationTask) => BundleWriter
}

export function observe(side: SourceSide, task: MigrationTask, name: string, remembered: Remembered): SourceItemFacts {
  const { world } = side
  return {
    ...remembered,
    name,
    migrationUid: task.spec.migration.uid,
    to: task.spec.peer,
    cluster: world.cluster(name),
    hasNamespace: hasNamespace(world, name),
    work: world.work(name),
    lease: world.lease(name),
    pausables: PAUSABLE.flatMap(resource => world.inNamespace(resource, name).map(pausableOf)),
    observabilityAddons: world.inNamespace(ocm.observabilityAddons, name).map(addon => addon.metadata.name),
    bootstrapKubeconfig: side.bootstrapKubeconfig(task.spec.peer),
    sealTo: task.spec.sealTo,
  }
}

/** Performs one effect; destructive ones read their permit fresh, not from the informer (law 2). */
export async function perform(
  side: SourceSide,
  { task, name, progress }: ItemJob,
  effect: SourceItemEffect,
): Promise<Evidence | undefined> {
  const { world } = side
  const { client } = world
  const ref = { name, namespace: name }
  switch (effect.kind) {
    case 'annotate':
      await annotate(world, task, effect.object, effect.annotations)
      return undefined
    case 'bundle':
      return bundle(side, { task, name, progress })
    case 'deny':
      await deny(side, { task, name, progress })
      return undefined
    case 'accept':
      world.wrote(await client.patch(ocm.managedClusters, { name }, { spec: { hubAcceptsClient: true } }))
      return undefined
    case 'deleteLease':
      await client.delete(resources.leases, { ...ref, name: LEASE_NAME }, { precondition: { uid: effect.uid } })
      return undefined
    case 'deleteObservabilityAddon':
      await client.patch(ocm.observabilityAddons, { ...ref, name: effect.name }, { metadata: { finalizers: null } })
      await client.delete(ocm.observabilityAddons, { ...ref, name: effect.name })
      return undefined
    case 'release':
      await release(side, task, name, effect.object)
      return undefined
    case 'detach':
      await readDenied(client, task, name)
      await client.delete(ocm.managedClusters, { name }, { precondition: { uid: effect.uid } })
      world.deleting(ocm.managedClusters.kind, { name }, effect.uid)
      return undefined
  }
}

const resourceOf = (kind: string): Resource => {
  const found = [ocm.managedClusters, ...PAUSABLE].find(resource => resource.kind === kind)
  if (!found) throw new Terminal('Internal', `no effect is defined for kind ${kind}`)
  return found
}

async function annotate(
  world: HubWorld,
  task: MigrationTask,
  object: ObjectRef,
  wanted: Readonly<Record<string, string | null>>,
): Promise<void> {
  const { client } = world
  const resource = resourceOf(object.kind)
  const ref = { name: object.name, ...(object.namespace && { namespace: object.namespace }) }
  if (typeof wanted[annotations.migration] === 'string') return claim(world, task, object.name, wanted)
  world.wrote(await client.patch(resource, ref, { metadata: { annotations: wanted } }))
}

/**
 * A claim is written onto exactly the state in which no other was seen: onto that of the informer, or, where that is
 * old or claimed, onto one that is read.
 */
async function claim(
  world: HubWorld,
  task: MigrationTask,
  name: string,
  wanted: Readonly<Record<string, string | null>>,
): Promise<void> {
  const { client } = world
  const { uid } = task.spec.migration
  const write = async (onto: ManagedCluster | undefined) => {
    const { resourceVersion } = onto?.metadata ?? {}
    const options = resourceVersion ? { precondition: { resourceVersion } } : {}
    world.wrote(await client.patch(ocm.managedClusters, { name }, { metadata: { annotations: wanted } }, options))
  }
  const seen = world.cluster(name)
  if (seen && isUnclaimed(seen, uid) && (await succeeds(write(seen)))) return
  const live = await client.get<ManagedCluster>(ocm.managedClusters, { name })
  if (!isUnclaimed(live, uid))
    throw new Terminal(
      'ClusterConflict',
      `managed cluster ${name} belongs to another migration (uid ${annotation(live, annotations.migration)})`,
    )
  await write(live)
}

const isUnclaimed = (cluster: ManagedCluster | undefined, migrationUid: string) =>
  [undefined, migrationUid].includes(annotation(cluster, annotations.migration))

/** False: somebody wrote the object since it was seen. */
async function succeeds(write: Promise<void>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (isConflict(error)) return false
    throw error
  }
}

async function bundle(side: SourceSide, { task, name, progress }: ItemJob): Promise<Evidence> {
  const key = journalKey({ kind: 'ManagedCluster', name }, annotations.disableAutoImport)
  const before = recall(progress.journal ?? {}, key)
  const ticket = await side.bundleWriter(task).write(async () =>
    packItem(
      name,
      await collect({
        client: side.world.client,
        cluster: name,
        keepDisableAutoImport: before !== undefined && before !== null,
      }),
    ),
  )
  return { ...ticket }
}

/** The one step that makes a cluster leave. Everything that permits it is read again (H-30). */
async function deny(side: SourceSide, { task, name, progress }: ItemJob): Promise<void> {
  const { client } = side.world
  const [cluster, work] = await Promise.all([
    client.get<ManagedCluster>(ocm.managedClusters, { name }),
    client.get<ManifestWork>(ocm.manifestWorks, { name: klusterletWorkName(name), namespace: name }),
  ])
  const remembered = { journal: progress.journal ?? {}, evidence: progress.evidence ?? {} }
  const facts = { ...observe(side, task, name, remembered), cluster, work }
  if (!cluster || claimOf(facts) !== task.spec.migration.uid)
    throw new Terminal('ClusterConflict', `managed cluster ${name} is not claimed by this migration any more`)
  if (!isConfigDelivered(facts) || !carriesConfig(facts))
    throw new Retryable(`the two-hub configuration of ${name} is not in its klusterlet work any more`)
  if (cluster.spec?.hubAcceptsClient !== true) return
  const { resourceVersion = '' } = cluster.metadata
  const patch = { spec: { hubAcceptsClient: false } }
  side.world.wrote(await client.patch(ocm.managedClusters, { name }, patch, { precondition: { resourceVersion } }))
}

/** Reads the permit of everything that Cleaning destroys: claimed by this migration, and denied here. */
async function readDenied(client: KubeClient, task: MigrationTask, name: string): Promise<void> {
  const cluster = await client.get<ManagedCluster>(ocm.managedClusters, { name })
  const isPermitted =
    !cluster ||
    (annotation(cluster, annotations.migration) === task.spec.migration.uid && cluster.spec?.hubAcceptsClient !== true)
  if (!isPermitted)
    throw new Terminal(
      'ClusterConflict',
      `managed cluster ${name} was taken back on the source hub: decide which hub owns it`,
    )
}

async function release(side: SourceSide, task: MigrationTask, name: string, object: ObjectRef): Promise<void> {
  const { client } = side.world
  await readDenied(client, task, name)
  const resource = resourceOf(object.kind)
  const live = await client.get<
    KubeObject & { readonly spec?: { readonly bmc?: { readonly credentialsName?: string } } }
  >(resource, { name: object.name, namespace: name })
  if (!live || live.metadata.deletionTimestamp) return
  const credentials = live.spec?.bmc?.credentialsName
  if (credentials) await stripSecretFinalizers(client, name, credentials)
  await deleteWithoutDeprovisioning(client, resource, live)
}

async function stripSecretFinalizers(client: KubeClient, namespace: string, name: string): Promise<void> {
  const secret = await client.get<KubeObject>(resources.secrets, { name, namespace })
  if (secret?.metadata.finalizers?.length)
    await client.patch(resources.secrets, { name, namespace }, { metadata: { finalizers: null } })
}
