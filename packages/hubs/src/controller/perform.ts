/** Performs the controller's effects on the global hub. Each can be repeated; what is deleted was seen to be ours. */

import { isEqualJson } from '@godwit/engine'
import { isAlreadyExists, isNotFound, type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import {
  annotations,
  BOOTSTRAP_NAMESPACE,
  bootstrapSecretName,
  type ConfigMap,
  credentialName,
  godwit,
  type ManagedClusterMigration,
  type MigrationTask,
  ocm,
  ownLabels,
  RECORD_FINALIZER,
  type Role,
  type Secret,
  type SharedWish,
} from '../api/index.ts'
import { renderBootstrapKubeconfig } from './bootstrap-kubeconfig.ts'
import type { Observed } from './observe.ts'
import type { SharedEffect } from './shared-table.ts'
import { shardsOf, shardTasks, sharedTask, type TaskOwner } from './tasks.ts'
import { deleteSeen, type GlobalHubWorld } from './world.ts'

export interface PerformContext {
  readonly world: GlobalHubWorld
  readonly owner: TaskOwner
  readonly facts: Observed
  /** What the result ConfigMap should say now. */
  readonly result: ConfigMap
}

export async function performShared(context: PerformContext, effect: SharedEffect): Promise<void> {
  const { world, owner, facts } = context
  switch (effect.kind) {
    case 'wishShared':
      return wishShared(context, effect.side, { ...parametersOf(facts, effect.side), ...effect.wish })
    case 'makeItemTasks':
      return makeItemTasks(context)
    case 'makeServiceAccount':
      return createOnce(world.client, ocm.managedServiceAccounts, serviceAccountOf(owner.migration, facts.to.name))
    case 'writeCredential':
      return writeCredential(context)
    case 'deleteServiceAccount':
      if (facts.serviceAccount) await deleteSeen(world.client, ocm.managedServiceAccounts, facts.serviceAccount)
      return undefined
    case 'deleteCredential':
      for (const secret of world.ownSecrets(facts.uid, 'credential'))
        await deleteSeen(world.client, resources.secrets, secret)
      return undefined
    case 'writeResult':
      return writeResult(world.client, context.result)
    case 'deleteBundles':
      for (const secret of world.ownSecrets(facts.uid, 'bundle'))
        await deleteSeen(world.client, resources.secrets, secret)
      return undefined
    case 'deleteTasks':
      for (const task of world.tasksOf(facts.uid)) await deleteTask(world.client, task)
      return undefined
  }
}

/** Somebody may have deleted it already: then it goes with its finalizer. */
async function deleteTask(client: KubeClient, task: MigrationTask): Promise<void> {
  const { name, namespace = '', uid = '', finalizers = [], deletionTimestamp } = task.metadata
  if (!deletionTimestamp) await deleteSeen(client, godwit.tasks, task)
  const kept = finalizers.filter(finalizer => finalizer !== RECORD_FINALIZER)
  if (kept.length === finalizers.length) return
  try {
    const patch = { metadata: { finalizers: kept } }
    await client.patch(godwit.tasks, { name, namespace }, patch, { precondition: { uid } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Carries a sealed bundle, unopened, from the namespace of the source hub into that of the target hub. */
export async function deliverBundle(
  { world, facts }: Pick<PerformContext, 'world' | 'facts'>,
  bundle: string,
): Promise<void> {
  const sealed = await world.client.get<Secret>(resources.secrets, { name: bundle, namespace: facts.from.name })
  if (!sealed?.data) throw new Error(`bundle Secret ${facts.from.name}/${bundle} is gone`)
  await createOnce(world.client, resources.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: bundle, namespace: facts.to.name, labels: ownLabels(facts.uid, 'bundle') },
    ...(sealed.type && { type: sealed.type }),
    data: sealed.data,
  } as Secret)
}

function parametersOf(facts: Observed, role: Role): Partial<SharedWish> {
  const placement = facts.migration.spec?.includedManagedClustersPlacementRef
  if (role === 'Source') return { credential: credentialName(facts.uid), ...(placement && { placement }) }
  const namespace = facts.installNamespace
  return namespace ? { serviceAccount: { namespace, name: facts.migration.metadata.name } } : {}
}

async function wishShared({ world, owner, facts }: PerformContext, role: Role, wish: SharedWish): Promise<void> {
  const seen = role === 'Source' ? facts.source.task : facts.target.task
  if (seen) {
    await world.tasks.patchSpec(seen, { epoch: owner.epoch, shared: wish })
    return
  }
  await createOnce(world.client, godwit.tasks, sharedTask(owner, role, wish))
}

async function makeItemTasks({ world, owner, facts }: PerformContext): Promise<void> {
  const sealTo = facts.target.progress?.evidence?.['sealingKey']
  for (const [shard, clusters] of shardsOf(facts.clusters ?? []).entries()) {
    const wishes = Object.fromEntries(
      clusters.map(name => [name, { stage: 'Validating', direction: 'Forward' } as const]),
    )
    for (const task of shardTasks(owner, shard, { source: wishes, target: wishes }, sealTo))
      await createOnce(world.client, godwit.tasks, task)
  }
}

const serviceAccountOf = (migration: ManagedClusterMigration, hub: string): KubeObject => ({
  apiVersion: 'authentication.open-cluster-management.io/v1beta1',
  kind: 'ManagedServiceAccount',
  metadata: {
    name: migration.metadata.name,
    namespace: hub,
    labels: { owner: 'managedclustermigration' },
    annotations: { [annotations.migration]: migration.metadata.uid ?? '' },
  },
  ...{ spec: { rotation: { enabled: true, validity: '24h0m0s' } } },
})

async function writeCredential({ world, facts }: PerformContext): Promise<void> {
  const { token, to, from, uid } = facts
  const server = to.cluster?.spec?.managedClusterClientConfigs?.[0]?.url
  const data = token?.data
  if (!server || !data?.['token']) throw new Error(`the token of hub ${to.name} is not ready`)
  const kubeconfig = renderBootstrapKubeconfig({
    hub: to.name,
    server,
    caPem: decode(data['ca.crt'] ?? ''),
    token: decode(data['token']),
  })
  await createOnce(world.client, resources.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: credentialName(uid),
      namespace: from.name,
      labels: ownLabels(uid, 'credential'),
      annotations: { 'godwit.dev/for': `${BOOTSTRAP_NAMESPACE}/${bootstrapSecretName(to.name)}` },
    },
    data: { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
  } as Secret)
}

const decode = (base64: string) => Buffer.from(base64, 'base64').toString('utf8')

async function writeResult(client: KubeClient, result: ConfigMap): Promise<void> {
  const { name, namespace = '' } = result.metadata
  const live = await client.get<ConfigMap>(resources.configMaps, { name, namespace })
  if (!live) return createOnce(client, resources.configMaps, result)
  if (isEqualJson(live.data, result.data)) return
  const { resourceVersion = '' } = live.metadata
  await client.replace<ConfigMap>(resources.configMaps, {
    ...result,
    metadata: { ...result.metadata, resourceVersion },
  })
}

/** An object of that name exists: an earlier run made it. Anything that is not ours was ruled out by a guard. */
async function createOnce(client: KubeClient, resource: Resource, object: KubeObject): Promise<void> {
  try {
    await client.create(resource, object)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
