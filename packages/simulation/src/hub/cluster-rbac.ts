/** The RBAC objects that the registration controller keeps for one managed cluster. */
import { type KubeClient, resources } from '@godwit/kube'
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

/** Writes the cluster role for an accepted or a refused cluster. */
export async function ensureClusterRole(client: KubeClient, cluster: string, isAccepted: boolean): Promise<void> {
  const rules = clusterRules(cluster, isAccepted)
  const name = clusterRoleName(cluster)
  const role: ClusterRole = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { [labels.clusterName]: cluster } },
    rules,
  }
  if (!(await createIfAbsent(client, resources.clusterRoles, role)))
    await client.patch(resources.clusterRoles, { name }, { rules })
}

export async function ensureClusterRoleBinding(client: KubeClient, cluster: string): Promise<void> {
  const name = clusterRoleName(cluster)
  const object: RoleBinding = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: { [labels.clusterName]: cluster } },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: groupSubjects(cluster),
  }
  await createIfAbsent(client, resources.clusterRoleBindings, object)
}

/** Creates the two bindings in the cluster's namespace; one that is on its way out is let go first. */
export async function ensureBindings(client: KubeClient, cluster: string): Promise<boolean> {
  const wanted = [
    binding(cluster, registrationBindingName(cluster), roles.registration, false),
    binding(cluster, workBindingName(cluster), roles.work, true),
  ]
  let isComplete = true
  for (const object of wanted) {
    if (await createIfAbsent(client, resources.roleBindings, object)) continue
    const { name } = object.metadata
    const present = await client.get<RoleBinding>(resources.roleBindings, { name, namespace: cluster })
    if (present && !present.metadata.deletionTimestamp) continue
    isComplete = false
    if (present) await releaseBinding(client, present)
  }
  return isComplete
}

export const releaseBinding = (client: KubeClient, binding: RoleBinding) =>
  removeFinalizers(client, resources.roleBindings, binding, name => name === finalizers.manifestWorkCleanup)

/** Asks for the deletion of both bindings; that of the works stays in force while its finalizer does. */
export async function deleteBindings(client: KubeClient, cluster: string): Promise<void> {
  for (const name of [registrationBindingName(cluster), workBindingName(cluster)])
    await client.delete(resources.roleBindings, { name, namespace: cluster })
}

/** Removes everything, the held binding included. */
export async function deleteClusterRbac(client: KubeClient, cluster: string): Promise<void> {
  await deleteBindings(client, cluster)
  const held = await client.get<RoleBinding>(resources.roleBindings, {
    name: workBindingName(cluster),
    namespace: cluster,
  })
  if (held) await releaseBinding(client, held)
  const name = clusterRoleName(cluster)
  await client.delete(resources.clusterRoleBindings, { name })
  await client.delete(resources.clusterRoles, { name })
}
