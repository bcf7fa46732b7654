/** The target agent's side of the shared rows: approval and RBAC for the migration's ServiceAccount. */
import { isAlreadyExists, type KubeClient, type KubeObject, resources } from '@godwit/kube'
import type { Remembered, Role } from '../agent/advance.ts'
import type { Evidence } from '../agent/facts.ts'
import { deleteIfMarked } from '../agent/marks.ts'
import type { SharedJob, SharedLook } from '../agent/shared-pass.ts'
import {
  AUTO_APPROVAL_GATE,
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
import { deleteSealingKey, makeSealingKey, readSealingKey } from './sealing-key.ts'
import { journalFor, type TargetSharedEffect, type TargetSharedFacts, targetSharedTable } from './shared-table.ts'

export const targetSharedRole: Role<TargetSharedFacts, TargetSharedEffect> = {
  table: targetSharedTable,
  journal: journalFor,
  receipts: () => ({}),
}

export interface TargetSharedSide {
  readonly hub: KubeClient
}

export async function look(side: TargetSharedSide, task: MigrationTask): Promise<SharedLook<TargetSharedFacts>> {
  const { hub } = side
  const wanted = rbacOf(task)
  const [manager, sealingKey, roles, live] = await Promise.all([
    readClusterManager(hub),
    readSealingKey(hub, task.spec.migration.uid),
    Promise.all(BOOTSTRAP_ROLES.map(name => hub.get<KubeObject>(resources.clusterRoles, { name }))),
    Promise.all(wanted.map(({ resource, object }) => hub.get<KubeObject>(resource, { name: object.metadata.name }))),
  ])
  const isOurs = (object: KubeObject | undefined) =>
    annotation(object, annotations.migration) === task.spec.migration.uid
  const facts = (remembered: Remembered): TargetSharedFacts => ({
    ...remembered,
    approval: approvalOf(manager),
    user: userOf(task),
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
      await changeApproval(side.hub, ({ users }) => ({ isGateOn: true, users: [...new Set([...users, effect.user])] }))
      return undefined
    case 'disapprove':
      await changeApproval(side.hub, ({ isGateOn, users }) => ({
        isGateOn: isGateOn && !effect.restoreGate,
        users: users.filter(user => user !== effect.user),
      }))
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

const userOf = ({ spec }: MigrationTask) =>
  spec.shared?.serviceAccount &&
  `system:serviceaccount:${spec.shared.serviceAccount.namespace}:${spec.shared.serviceAccount.name}`

async function readClusterManager(hub: KubeClient): Promise<ClusterManager | undefined> {
  if (!(await hub.serves(ocm.clusterManagers))) return undefined
  return hub.get<ClusterManager>(ocm.clusterManagers, { name: CLUSTER_MANAGER })
}

interface Approval {
  readonly isGateOn: boolean
  readonly users: readonly string[]
}

function approvalOf(manager: ClusterManager | undefined): Approval | undefined {
  if (!manager) return undefined
  const { autoApproveUsers = [], featureGates = [] } = manager.spec?.registrationConfiguration ?? {}
  const gate = featureGates.find(({ feature }) => feature === AUTO_APPROVAL_GATE)
  return { isGateOn: gate?.mode === 'Enable', users: autoApproveUsers }
}

/** Computed from what is read in the same breath; a concurrent change is a conflict, not a loss (H-57). */
async function changeApproval(hub: KubeClient, change: (now: Approval) => Approval): Promise<void> {
  const manager = await readClusterManager(hub)
  const now = approvalOf(manager)
  if (!manager || !now) return
  const next = change(now)
  const gates = manager.spec?.registrationConfiguration?.featureGates ?? []
  const others = gates.filter(({ feature }) => feature !== AUTO_APPROVAL_GATE)
  const before = gates.find(({ feature }) => feature === AUTO_APPROVAL_GATE)
  const isSame = next.isGateOn === now.isGateOn
  const gate = isSame ? before : { feature: AUTO_APPROVAL_GATE, mode: next.isGateOn ? 'Enable' : 'Disable' }
  const registrationConfiguration = { autoApproveUsers: next.users, featureGates: gate ? [...others, gate] : others }
  const { resourceVersion = '' } = manager.metadata
  await hub.patch(
    ocm.clusterManagers,
    { name: CLUSTER_MANAGER },
    { spec: { registrationConfiguration } },
    { precondition: { resourceVersion } },
  )
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
  const live = await hub.get<KubeObject>(resource, { name: object.metadata.name })
  if (annotation(live, annotations.migration) === annotation(object, annotations.migration)) return
  await hub.delete(resource, { name: object.metadata.name })
  await hub.create<KubeObject>(resource, object)
}
