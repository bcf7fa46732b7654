/** The source agent's side of the shared rows: observed by reading, performed by writing two objects. */
import { isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import type { Remembered, Role } from '../agent/advance.ts'
import { deleteIfMarked } from '../agent/marks.ts'
import type { SharedJob, SharedLook } from '../agent/shared-pass.ts'
import {
  BOOTSTRAP_NAMESPACE,
  bootstrapSecretName,
  type godwit,
  klusterletConfigName,
  labels,
  type MigrationTask,
  type MultiClusterHub,
  ocm,
  type PlacementDecision,
  type Secret,
} from '../api/index.ts'
import { isBeginning } from '../preflight/guard.ts'
import type { AskLacking } from '../preflight/parties.ts'
import {
  type KlusterletConfig,
  presenceOf,
  renderBootstrapSecret,
  renderKlusterletConfig,
} from './klusterlet-config.ts'
import { type SourceSharedEffect, type SourceSharedFacts, sourceSharedTable } from './shared-table.ts'

export const sourceSharedRole: Role<SourceSharedFacts, SourceSharedEffect> = {
  table: sourceSharedTable,
  journal: () => ({}),
  receipts: () => ({}),
}

export interface SourceSharedSide {
  readonly hub: KubeClient
  readonly globalHub: KubeClient
  readonly lacking: AskLacking
  /** Told what the bootstrap Secret for hub `to` holds, whenever it was looked at. */
  readonly onBootstrap: (to: string, kubeconfig: string | undefined) => void
}

export async function look(side: SourceSharedSide, task: MigrationTask): Promise<SharedLook<SourceSharedFacts>> {
  const { hub } = side
  const to = task.spec.peer
  const { uid } = task.spec.migration
  const placement = task.spec.shared?.placement
  const [lacking, multiClusterHub, decisions, credential, secret, config] = await Promise.all([
    isBeginning(task) ? side.lacking() : undefined,
    findMultiClusterHub(hub),
    placement === undefined ? undefined : decisionsOf(hub, placement),
    readCredential(side, task),
    hub.get<Secret>(resources.secrets, { name: bootstrapSecretName(to), namespace: BOOTSTRAP_NAMESPACE }),
    readKlusterletConfig(hub, to),
  ])
  const written = secret?.data?.['kubeconfig']
  const bootstrapSecret = presenceOf(secret, uid, credential === undefined || written === credential)
  side.onBootstrap(to, bootstrapSecret === 'ours' ? written : undefined)
  const facts = (remembered: Remembered): SourceSharedFacts => ({
    ...remembered,
    lacking,
    to,
    placement,
    decisions,
    hasMultiClusterHub: multiClusterHub !== undefined,
    hasCredential: credential !== undefined,
    bootstrapSecret,
    klusterletConfig: presenceOf(config, uid, true),
  })
  return { facts, ...(decisions && { selected: decisions }) }
}

export async function perform(
  side: SourceSharedSide,
  { task }: SharedJob,
  effect: SourceSharedEffect,
): Promise<undefined> {
  const { hub } = side
  const to = task.spec.peer
  const { uid } = task.spec.migration
  switch (effect.kind) {
    case 'writeBootstrapSecret': {
      const credential = await readCredential(side, task)
      if (credential === undefined) throw new Error('the bootstrap kubeconfig is not on the global hub any more')
      await createOrPatch(hub, resources.secrets, renderBootstrapSecret(to, uid, credential))
      return undefined
    }
    case 'writeKlusterletConfig': {
      const multiClusterHub = await findMultiClusterHub(hub)
      if (!multiClusterHub) throw new Error('the MultiClusterHub is gone')
      await createOrPatch(hub, ocm.klusterletConfigs, renderKlusterletConfig(to, uid, multiClusterHub))
      return undefined
    }
    case 'deleteBootstrapSecret':
      await deleteIfMarked(hub, resources.secrets, { name: bootstrapSecretName(to), namespace: BOOTSTRAP_NAMESPACE })
      return undefined
    case 'deleteKlusterletConfig':
      await deleteIfMarked(hub, ocm.klusterletConfigs, { name: klusterletConfigName(to) })
      return undefined
  }
}

async function createOrPatch(
  hub: KubeClient,
  resource: typeof godwit.tasks,
  object: Secret | KlusterletConfig,
): Promise<void> {
  try {
    await hub.create(resource, object)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const { name, namespace } = object.metadata
    await hub.patch(resource, { name, ...(namespace && { namespace }) }, object)
  }
}

async function findMultiClusterHub(hub: KubeClient): Promise<MultiClusterHub | undefined> {
  if (!(await hub.serves(ocm.multiClusterHubs))) return undefined
  return (await hub.list<MultiClusterHub>(ocm.multiClusterHubs)).items[0]
}

async function readKlusterletConfig(hub: KubeClient, to: string): Promise<KlusterletConfig | undefined> {
  if (!(await hub.serves(ocm.klusterletConfigs))) return undefined
  return hub.get<KlusterletConfig>(ocm.klusterletConfigs, { name: klusterletConfigName(to) })
}

async function decisionsOf(hub: KubeClient, placement: string): Promise<readonly string[]> {
  if (!(await hub.serves(ocm.placementDecisions))) return []
  const { items } = await hub.list<PlacementDecision>(ocm.placementDecisions, {
    labelSelector: `${labels.placement}=${placement}`,
  })
  const names = items.flatMap(({ status }) => status?.decisions?.map(({ clusterName }) => clusterName) ?? [])
  return [...new Set(names)].sort()
}

/** The bootstrap kubeconfig, base64, from the Secret in this hub's namespace on the global hub. */
async function readCredential(side: SourceSharedSide, task: MigrationTask): Promise<string | undefined> {
  const name = task.spec.shared?.credential
  if (!name) return undefined
  const secret = await side.globalHub.get<Secret>(resources.secrets, { name, namespace: task.metadata.namespace ?? '' })
  return secret?.data?.['kubeconfig']
}
