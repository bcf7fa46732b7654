/** What a hub has before its first managed cluster: definitions, roles, operators' objects. */
import { type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { HUB_KINDS, installCrds } from '../foreign/install-crds.ts'
import { ADDON_NAMESPACE, CLUSTER_MANAGER, ENGINE_NAMESPACE, roles } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ClusterManager, ClusterRole, OpenObject, PolicyRule } from '../foreign/types.ts'
import { createIfAbsent } from '../hub/ensure.ts'

/** `acm`: Advanced Cluster Management with a MultiClusterHub; `ocm`: plain Open Cluster Management. */
export type HubFlavour = 'acm' | 'ocm'

export interface HubFoundation {
  readonly client: KubeClient
  readonly clock: Clock
  /** Default `acm`. */
  readonly flavour?: HubFlavour
  /** `status.currentVersion` of the MultiClusterHub. Default `2.15.0`. */
  readonly version?: string
}

const DEFAULT_VERSION = '2.15.0'
const HUB_NAMESPACE = 'open-cluster-management'

const rule = (group: string, resource: string, verbs: string[]): PolicyRule => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
})
const cluster = 'cluster.open-cluster-management.io'
const eventRules = [rule('', 'events', ['create', 'get', 'list', 'update', 'patch'])]
const bootstrapRules = [
  rule('', 'configmaps', ['get']),
  rule('certificates.k8s.io', 'certificatesigningrequests', ['create', 'get', 'list', 'watch']),
  rule(cluster, 'managedclustersets/join', ['create']),
]

const role = (name: string, rules: PolicyRule[]): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules,
})

/** Roles that the registration, work and import controllers ship. */
export function hubRoles(flavour: HubFlavour): ClusterRole[] {
  const addon = 'addon.open-cluster-management.io'
  const work = 'work.open-cluster-management.io'
  return [
    role(roles.registration, [
      rule('coordination.k8s.io', 'leases', ['get', 'list', 'update', 'patch', 'watch']),
      rule(addon, 'managedclusteraddons', ['get', 'list', 'watch']),
      rule(addon, 'managedclusteraddons/status', ['patch', 'update']),
      ...eventRules,
    ]),
    role(roles.work, [
      rule(work, 'manifestworks', ['get', 'list', 'watch', 'update', 'patch']),
      rule(work, 'manifestworks/status', ['patch', 'update']),
      ...eventRules,
    ]),
    flavour === 'acm'
      ? role(roles.bootstrapAcm, [...bootstrapRules, rule(cluster, 'managedclusters', ['get', 'create', 'update'])])
      : role(roles.bootstrapOcm, [
          ...bootstrapRules,
          rule(cluster, 'managedclusters', ['create', 'get', 'list', 'watch']),
        ]),
  ]
}

const namespaceObject = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

/** Prepares an empty API server to be a hub. What exists stays as it is. */
export async function prepareHub({
  client,
  clock,
  flavour = 'acm',
  version = DEFAULT_VERSION,
}: HubFoundation): Promise<void> {
  await installCrds(client, HUB_KINDS, clock)
  const put = (resource: Resource, object: KubeObject) => createIfAbsent(client, resource, object)
  for (const name of [ENGINE_NAMESPACE, HUB_NAMESPACE, ADDON_NAMESPACE])
    await put(resources.namespaces, namespaceObject(name))
  for (const each of hubRoles(flavour)) await put(resources.clusterRoles, each)
  const manager: ClusterManager = {
    apiVersion: 'operator.open-cluster-management.io/v1',
    kind: 'ClusterManager',
    metadata: { name: CLUSTER_MANAGER },
    spec: { registrationConfiguration: { featureGates: [{ feature: 'ResourceCleanup', mode: 'Enable' }] } },
  }
  await put(foreign.clusterManagers, manager)
  if (flavour === 'acm') await putMultiClusterHub(client, version)
}

async function putMultiClusterHub(client: KubeClient, version: string): Promise<void> {
  const metadata = { name: 'multiclusterhub', namespace: HUB_NAMESPACE }
  const hub: OpenObject = {
    apiVersion: 'operator.open-cluster-management.io/v1',
    kind: 'MultiClusterHub',
    metadata,
    spec: {},
  }
  await createIfAbsent(client, foreign.multiClusterHubs, hub)
  const status = { currentVersion: version, phase: 'Running' }
  await client.patch(foreign.multiClusterHubs, metadata, { status }, { subresource: 'status' })
}
