/** What controller and agents must be allowed to do, and nothing else. Shipped manifests and tests use these rules. */
import type { KubeObject } from '@godwit/kube'
import { BOOTSTRAP_ROLES } from './api/index.ts'

export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

const READ = ['get', 'list', 'watch'] as const
const rule = (
  group: string,
  kinds: readonly string[],
  verbs: readonly string[],
  names?: readonly string[],
): PolicyRule => ({
  apiGroups: [group],
  resources: kinds,
  verbs,
  ...(names && { resourceNames: names }),
})

const ELECTION = rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update'])

/** On the global hub. Secrets: tokens of ManagedServiceAccounts, credentials and sealed bundles in the hubs' namespaces. */
export const controllerRules: readonly PolicyRule[] = [
  rule('global-hub.open-cluster-management.io', ['managedclustermigrations'], [...READ, 'create', 'patch']),
  rule('global-hub.open-cluster-management.io', ['managedclustermigrations/status'], ['patch']),
  rule('godwit.dev', ['migrationtasks'], [...READ, 'create', 'patch', 'delete']),
  rule('cluster.open-cluster-management.io', ['managedclusters'], READ),
  rule('addon.open-cluster-management.io', ['managedclusteraddons'], ['get']),
  rule('authentication.open-cluster-management.io', ['managedserviceaccounts'], [...READ, 'create', 'delete']),
  rule('', ['secrets'], [...READ, 'create', 'delete']),
  rule('', ['configmaps'], ['get', 'create', 'update']),
  rule('', ['events'], ['create', 'patch']),
  rule('apps', ['deployments'], ['get']),
  ELECTION,
]

/** On the global hub, in the namespace of the agent's own hub only. */
export const agentRulesOnGlobalHub: readonly PolicyRule[] = [
  rule('godwit.dev', ['migrationtasks'], READ),
  rule('godwit.dev', ['migrationtasks/status'], ['patch']),
  rule('', ['secrets'], ['get', 'create']),
  ELECTION,
]

const MOVED = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']
const METAL3 = ['baremetalhosts', 'hostfirmwaresettings', 'firmwareschemas', 'hostfirmwarecomponents', 'dataimages']
const withStatus = (kinds: readonly string[]) => [...kinds, ...kinds.map(kind => `${kind}/status`)]

/** On the agent's own hub. */
export const agentRulesOnHub: readonly PolicyRule[] = [
  rule('cluster.open-cluster-management.io', ['managedclusters'], MOVED),
  rule('register.open-cluster-management.io', ['managedclusters/accept'], ['update']),
  rule('cluster.open-cluster-management.io', ['placementdecisions'], ['list']),
  rule('work.open-cluster-management.io', ['manifestworks'], READ),
  rule('coordination.k8s.io', ['leases'], [...READ, 'delete']),
  rule('certificates.k8s.io', ['certificatesigningrequests'], READ),
  rule('', ['namespaces', 'secrets', 'configmaps'], MOVED),
  rule('config.open-cluster-management.io', ['klusterletconfigs'], ['get', 'create', 'patch', 'delete']),
  rule('agent.open-cluster-management.io', ['klusterletaddonconfigs'], MOVED),
  rule('operator.open-cluster-management.io', ['multiclusterhubs'], ['list']),
  rule('operator.open-cluster-management.io', ['clustermanagers'], ['get', 'patch']),
  rule('observability.open-cluster-management.io', ['observabilityaddons'], [...READ, 'patch', 'delete']),
  rule('metal3.io', withStatus(METAL3), MOVED),
  rule('hive.openshift.io', withStatus(['clusterdeployments']), MOVED),
  rule('extensions.hive.openshift.io', withStatus(['imageclusterinstalls']), MOVED),
  rule('rbac.authorization.k8s.io', ['clusterroles', 'clusterrolebindings'], ['get', 'create', 'delete']),
  // A role that one grants must be one's own, or one must be allowed to bind it.
  rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
  rule('rbac.authorization.k8s.io', ['clusterroles'], ['bind'], BOOTSTRAP_ROLES),
]

const RBAC = 'rbac.authorization.k8s.io'
type RbacObject = KubeObject & { readonly [member: string]: unknown }

/** A ClusterRole with these rules, and its binding to one user. */
export function clusterRoleFor(user: string, name: string, rules: readonly PolicyRule[]): readonly RbacObject[] {
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, ...binding(user, 'ClusterRole', name) },
  ]
}

/** A Role in one namespace with these rules, and its binding to one user. */
export function roleFor(
  user: string,
  name: string,
  namespace: string,
  rules: readonly PolicyRule[],
): readonly RbacObject[] {
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: { name, namespace }, rules },
    { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata: { name, namespace }, ...binding(user, 'Role', name) },
  ]
}

const binding = (user: string, kind: string, name: string) => ({
  subjects: [{ kind: 'User', apiGroup: RBAC, name: user }],
  roleRef: { apiGroup: RBAC, kind, name },
})
