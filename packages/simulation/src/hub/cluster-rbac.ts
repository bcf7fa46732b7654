/** The RBAC objects that the registration controller keeps for one managed cluster. */
import { isDeepStrictEqual } from 'node:util'
import { type KubeClient, type KubeObject, resources } from '@godwit/kube'
import {
  agentGroups,
  clusterRoleName,
  finalizers,
  labels,
  registrationBindingName,
  roles,
  workBindingName,
} from '../foreign/names.ts'
import type { ClusterRole, PolicyRule, RoleBinding } from '../foreign/types.ts'
import { createIfAbsent, removeFinalizers } from './ensure.ts'
import type { HubView } from './hub-view.ts'

const rbac = 'rbac.authorization.k8s.io'

/** What the agent of a cluster may do at cluster scope. */
export function clusterRules(cluster: string, isAccepted: boolean): PolicyRule[] {
  const own = (verbs: string[], resource: string): PolicyRule => ({
    apiGroups: ['cluster.open-cluster-management.io'],
    resources: [resource],
    resourceNames: [cluster],
    verbs,
  })
  if (!isAccepted) return [own(['get', 'list', 'watch'], 'managedclusters')]
  return [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests'],
      verbs: ['create', 'get', 'list', 'watch'],
    },
    {
      apiGroups: ['register.open-cluster-management.io'],
      resources: ['managedclusters/clientcertificates'],
      verbs: ['renew'],
    },
    own(['get', 'list', 'update', 'watch'], 'managedclusters'),
    own(['patch', 'update'], 'managedclusters/status'),
  ]
}

const groupSubjects = (cluster: string) =>
  [agentGroups(cluster)[0] ?? '', `open-cluster-management:${cluster}`].map(name => ({
    kind: 'Group' as const,
    apiGroup: rbac,
    name,
  }))

function binding(cluster: string, name: string, role: string, isHeld: boolean): RoleBinding {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: {
      name,
      namespace: cluster,
      labels: { [labels.clusterName]: cluster },
      ...(isHeld && { finalizers: [finalizers.manifestWorkCleanup] }),
    },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: groupSubjects(cluster),
  }
}

/** Whether the cluster role says, as far as the cache shows, what an accepted or a refused cluster may do. */
export const hasClusterRole = (view: HubView, cluster: string, isAccepted: boolean) =>
  isDeepStrictEqual(view.clusterRoles.get({ name: clusterRoleName(cluster) })?.rules, clusterRules(cluster, isAccepted))

/** Brings the cluster role to what an accepted or a refused cluster may do. */
export async function ensureClusterRole(view: HubView, cluster: string, isAccepted: boolean): Promise<void> {
  if (hasClusterRole(view, cluster, isAccepted)) return
  const { client } = view.access
  const rules = clusterRules(cluster, isAccepted)
  const name = clusterRoleName(cluster)
  const role: ClusterRole = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { [labels.clusterName]: cluster } },
    rules,
  }
  if (view.clusterRoles.get({ name }) || !(await createIfAbsent(client, resources.clusterRoles, role)))
    await client.patch(resources.clusterRoles, { name }, { rules })
}

export async function ensureClusterRoleBinding(view: HubView, cluster: string): Promise<void> {
  const name = clusterRoleName(cluster)
  if (view.clusterRoleBindings.get({ name })) return
  const object: RoleBinding = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: { [labels.clusterName]: cluster } },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: groupSubjects(cluster),
  }
  await createIfAbsent(view.access.client, resources.clusterRoleBindings, object)
}

/** Creates the two bindings in the cluster's namespace; one that is on its way out is let go first. */
export async function ensureBindings(view: HubView, cluster: string): Promise<boolean> {
  const { client } = view.access
  const wanted = [
    binding(cluster, registrationBindingName(cluster), roles.registration, false),
    binding(cluster, workBindingName(cluster), roles.work, true),
  ]
  let isComplete = true
  for (const object of wanted) {
    const { name } = object.metadata
    const known = view.roleBindings.get({ name, namespace: cluster })
    if (known && !known.metadata.deletionTimestamp) continue
    if (!known && (await createIfAbsent(client, resources.roleBindings, object))) continue
    const present = await client.get<RoleBinding>(resources.roleBindings, { name, namespace: cluster })
    if (present && !present.metadata.deletionTimestamp) continue
    isComplete = false
    if (present) await releaseBinding(client, present)
  }
  return isComplete
}

export const releaseBinding = (client: KubeClient, binding: KubeObject) =>
  removeFinalizers(client, resources.roleBindings, binding, name => name === finalizers.manifestWorkCleanup)

/** Asks for the deletion of both bindings; that of the works stays in force while its finalizer does. */
export async function deleteBindings(view: HubView, cluster: string): Promise<void> {
  for (const name of bindingNames(cluster)) {
    const known = view.roleBindings.get({ name, namespace: cluster })
    if (known && !known.metadata.deletionTimestamp) await deleteBinding(view, cluster, name)
  }
}

/** Removes both bindings, also ones that the cache does not show yet. */
export async function removeBindings(view: HubView, cluster: string): Promise<void> {
  const { client } = view.access
  for (const name of bindingNames(cluster)) await deleteBinding(view, cluster, name)
  const held = await client.get(resources.roleBindings, { name: workBindingName(cluster), namespace: cluster })
  if (held) await releaseBinding(client, held)
}

const bindingNames = (cluster: string) => [registrationBindingName(cluster), workBindingName(cluster)]

const deleteBinding = ({ access: { client } }: HubView, cluster: string, name: string) =>
  client.delete(resources.roleBindings, { name, namespace: cluster })

/** Removes everything, the held binding included. */
export async function deleteClusterRbac(view: HubView, cluster: string): Promise<void> {
  const { client } = view.access
  await removeBindings(view, cluster)
  const name = clusterRoleName(cluster)
  await client.delete(resources.clusterRoleBindings, { name })
  await client.delete(resources.clusterRoles, { name })
}
