/** The target agent's side of the shared rows: approval and RBAC for the migration's ServiceAccount. */
import { Terminal } from '@godwit/core'
import { isAlreadyExists, type KubeClient, type KubeObject, resources } from '@godwit/kube'
import type { Remembered, Role } from '../agent/advance.ts'
import type { Evidence } from '../agent/facts.ts'
import { deleteIfMarked } from '../agent/marks.ts'
import type { SharedJob, SharedLook } from '../agent/shared-pass.ts'
import {
  annotation,
  annotations,
  BOOTSTRAP_ROLES,
  CLUSTER_MANAGER,
  type ClusterManager,
  type MigrationTask,
  ocm,
  registrationBinding,
  subjectAccessReviewRole,
} from '../api/index.ts'
import { isBeginning } from '../preflight/guard.ts'
import type { AskLacking } from '../preflight/parties.ts'
import { type ApprovalPatch, approve, disapprove, isApproving, reliesOn } from './auto-approval.ts'
import { deleteSealingKey, makeSealingKey, readSealingKey } from './sealing-key.ts'
import { type TargetSharedEffect, type TargetSharedFacts, targetSharedTable } from './shared-table.ts'

export const targetSharedRole: Role<TargetSharedFacts, TargetSharedEffect> = {
  table: targetSharedTable,
  journal: () => ({}),
  receipts: () => ({}),
}

export interface TargetSharedSide {
  readonly hub: KubeClient
  readonly lacking?: AskLacking
}

export async function look(side: TargetSharedSide, task: MigrationTask): Promise<SharedLook<TargetSharedFacts>> {
  const { hub } = side
  const wanted = rbacOf(task)
  const user = userOf(task)
  const [lacking, manager, sealingKey, roles, live] = await Promise.all([
    isBeginning(task) ? side.lacking?.() : undefined,
    readClusterManager(hub),
    readSealingKey(hub, task.spec.migration.uid),
    Promise.all(BOOTSTRAP_ROLES.map(name => hub.get<KubeObject>(resources.clusterRoles, { name }))),
    Promise.all(wanted.map(({ resource, object }) => hub.get<KubeObject>(resource, { name: object.metadata.name }))),
  ])
  const isOurs = (object: KubeObject | undefined) =>
    annotation(object, annotations.migration) === task.spec.migration.uid
  const facts = (remembered: Remembered): TargetSharedFacts => ({
    ...remembered,
    lacking,
    hasClusterManager: manager !== undefined,
    user,
    isApproving: manager !== undefined && user !== undefined && isApproving(manager, user),
    isRelyingOnApproval: manager !== undefined && user !== undefined && reliesOn(manager, user),
    hasSealingKey: sealingKey !== undefined,
    bootstrapRole: roles.find(role => role !== undefined)?.metadata.name,
    rbac: {
      wanted: wanted.map(({ object }) => `${object.kind}/${object.metadata.name}`),
      present: live.flatMap(object => (object && isOurs(object) ? [`${object.kind}/${object.metadata.name}`] : [])),
    },
  })
  return { facts }
}

export async function perform(
  side: TargetSharedSide,
  { task }: SharedJob,
  effect: TargetSharedEffect,
): Promise<Evidence | undefined> {
  switch (effect.kind) {
    case 'makeSealingKey':
      return { sealingKey: await makeSealingKey(side.hub, task.spec.migration.uid) }
    case 'approve':
      await changeApproval(side.hub, manager => approve(manager, effect.user))
      return undefined
    case 'disapprove':
      await changeApproval(side.hub, manager => disapprove(manager, effect.user))
      return undefined
    case 'grant':
      await grant(side.hub, task)
      return undefined
    case 'revoke':
      for (const { resource, object } of rbacOf(task))
        await deleteIfMarked(side.hub, resource, { name: object.metadata.name }, task.spec.migration.uid)
      return undefined
    case 'deleteSealingKey':
      await deleteSealingKey(side.hub, task.spec.migration.uid)
      return undefined
  }
}

/** The holder of the migration's credential, as the hub knows it. */
export const userOf = ({ spec }: MigrationTask) =>
  spec.shared?.serviceAccount &&
  `system:serviceaccount:${spec.shared.serviceAccount.namespace}:${spec.shared.serviceAccount.name}`

async function readClusterManager(hub: KubeClient): Promise<ClusterManager | undefined> {
  if (!(await hub.serves(ocm.clusterManagers))) return undefined
  return hub.get<ClusterManager>(ocm.clusterManagers, { name: CLUSTER_MANAGER })
}

/** Computed from what is read in the same breath; a concurrent change is a conflict, not a loss (H-57). */
async function changeApproval(
  hub: KubeClient,
  change: (manager: ClusterManager) => ApprovalPatch | undefined,
): Promise<void> {
  const manager = await readClusterManager(hub)
  const patch = manager && change(manager)
  if (!patch) return
  const { resourceVersion = '' } = manager.metadata
  await hub.patch(ocm.clusterManagers, { name: CLUSTER_MANAGER }, patch, { precondition: { resourceVersion } })
}

/** The three RBAC objects of a migration; the binding's role is the first bootstrap role that the hub has. */
function rbacOf(task: MigrationTask, bootstrapRole: string = BOOTSTRAP_ROLES[0]) {
  const { name, uid } = task.spec.migration
  const metadata = (objectName: string) => ({ name: objectName, annotations: { [annotations.migration]: uid } })
  const account = task.spec.shared?.serviceAccount
  const subjects = account ? [{ kind: 'ServiceAccount', namespace: account.namespace, name: account.name }] : []
  const roleRef = (role: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role })
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const sar = subjectAccessReviewRole(name)
  const rules = [{ apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] }]
  return [
    { resource: resources.clusterRoles, object: { apiVersion, kind: 'ClusterRole', metadata: metadata(sar), rules } },
    {
      resource: resources.clusterRoleBindings,
      object: { apiVersion, kind: 'ClusterRoleBinding', metadata: metadata(sar), subjects, roleRef: roleRef(sar) },
    },
    {
      resource: resources.clusterRoleBindings,
      object: {
        apiVersion,
        kind: 'ClusterRoleBinding',
        metadata: metadata(registrationBinding(name)),
        subjects,
        roleRef: roleRef(bootstrapRole),
      },
    },
  ]
}

async function grant(hub: KubeClient, task: MigrationTask): Promise<void> {
  const present = await Promise.all(BOOTSTRAP_ROLES.map(name => hub.get<KubeObject>(resources.clusterRoles, { name })))
  const bootstrapRole = present.find(role => role !== undefined)?.metadata.name
  if (!bootstrapRole) throw new Error(`none of the ClusterRoles ${BOOTSTRAP_ROLES.join(', ')} exists`)
  for (const { resource, object } of rbacOf(task, bootstrapRole)) {
    try {
      await hub.create<KubeObject>(resource, object)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      await takeOver(hub, resource, object)
    }
  }
}

/** A leftover of an earlier migration of the same name: its roleRef cannot change, so it is replaced as a whole. */
async function takeOver(hub: KubeClient, resource: typeof resources.clusterRoles, object: KubeObject): Promise<void> {
  const { name } = object.metadata
  const live = await hub.get<KubeObject>(resource, { name })
  const mark = annotation(live, annotations.migration)
  if (live && mark === undefined)
    throw new Terminal(
      'NameTaken',
      `${object.kind} ${name} exists on the target hub and was not made by Godwit: delete it first`,
    )
  if (mark === annotation(object, annotations.migration)) return
  await deleteIfMarked(hub, resource, { name })
  await hub.create<KubeObject>(resource, object)
}
