/** Names that users, foreign controllers and both hubs see. They are interfaces: changing one breaks somebody. */

export const GLOBAL_HUB_NAMESPACE = 'multicluster-global-hub'
/** Where the import controller of a source hub reads bootstrap Secrets from. */
export const BOOTSTRAP_NAMESPACE = 'multicluster-engine'
/** Where an agent keeps what is its own on its hub. */
export const AGENT_NAMESPACE = 'multicluster-global-hub-agent'
export const DEFAULT_ADDON_NAMESPACE = 'open-cluster-management-agent-addon'

export const annotations = {
  /** On a failed migration: `rollback` runs its rollback again, `retry` makes a new migration of what failed. */
  request: 'global-hub.open-cluster-management.io/migration-request',
  /** On the migration: overrides the namespace of the migration's ServiceAccount on the target hub. */
  installNamespace: 'global-hub.open-cluster-management.io/managed-serviceaccount-install-namespace',
  migrating: 'global-hub.open-cluster-management.io/migrating',
  klusterletConfig: 'agent.open-cluster-management.io/klusterlet-config',
  disableAutoImport: 'import.open-cluster-management.io/disable-auto-import',
  deployMode: 'import.open-cluster-management.io/klusterlet-deploy-mode',
  onMulticlusterHub: 'addon.open-cluster-management.io/on-multicluster-hub',
  retainNamespace: 'open-cluster-management.io/retain-namespace',
  hivePause: 'hive.openshift.io/reconcile-pause',
  metal3Pause: 'baremetalhost.metal3.io/paused',
  veleroStatus: 'velero.io/restore-status',
  siteconfigSyncWave: 'siteconfig.open-cluster-management.io/sync-wave',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  /** Ours: uid of the migration that claims (source) or made (target) the object. */
  migration: 'godwit.dev/migration',
  /** Ours, on a migration: name and uid of the migration whose failed clusters it tries again. */
  retryOf: 'godwit.dev/retry-of',
  /** Ours, on a migrated ManagedCluster: the user had disabled auto-import before, so it stays disabled. */
  keepDisableAutoImport: 'godwit.dev/keep-disable-auto-import',
  /** Ours, on the ClusterManager: which migrations rely on auto-approval, and what was there before the first. */
  autoApproval: 'godwit.dev/auto-approval',
} as const

export const labels = {
  localCluster: 'local-cluster',
  isManagedServiceAccount: 'authentication.open-cluster-management.io/is-managed-serviceaccount',
  placement: 'cluster.open-cluster-management.io/placement',
  clusterName: 'open-cluster-management.io/cluster-name',
  klusterletWorks: 'import.open-cluster-management.io/klusterlet-works',
  siteconfigPreserve: 'siteconfig.open-cluster-management.io/preserve',
  backup: 'cluster.open-cluster-management.io/backup',
  veleroRestore: 'velero.io/restore-name',
  /** Ours: uid of the migration, on every object that Godwit makes on the global hub. */
  migration: 'godwit.dev/migration',
  /** Ours: what an object is for (`bundle`, `credential`). */
  purpose: 'godwit.dev/purpose',
} as const

/** Holds a migration that is being deleted until it is taken back; whoever removes it by hand takes the rest upon themselves. */
export const FINALIZER = 'godwit.dev/take-back'
/** Holds a task, which is the record of its clusters, until its migration needs it no more: a stray deletion loses nothing. */
export const RECORD_FINALIZER = 'godwit.dev/record'
export const LEASE_NAME = 'managed-cluster-lease'
export const CLUSTER_MANAGER = 'cluster-manager'
export const AUTO_APPROVAL_GATE = 'ManagedClusterAutoApproval'
export const MANAGED_SERVICE_ACCOUNT_ADDON = 'managed-serviceaccount'
/** Roles a klusterlet bootstraps with; the first that exists is bound. */
export const BOOTSTRAP_ROLES = [
  'open-cluster-management:managedcluster:bootstrap:agent-registration',
  'open-cluster-management:bootstrap',
] as const

export const bootstrapSecretName = (to: string) => `bootstrap-${to}`
export const klusterletConfigName = (to: string) => `migration-${to}`
export const klusterletWorkName = (cluster: string) => `${cluster}-klusterlet`
export const importBootstrapUser = (cluster: string) => `system:serviceaccount:${cluster}:${cluster}-bootstrap-sa`
export const subjectAccessReviewRole = (migration: string) => `global-hub-migration-${migration}-sar`
export const registrationBinding = (migration: string) => `global-hub-migration-${migration}-registration`

/** Short, stable part of a uid for names of our own objects: 8 characters. */
export const shortUid = (uid: string) => uid.slice(0, 8)
export const taskName = (migration: string, uid: string, part: string | number) =>
  `${migration.slice(0, 200)}-${shortUid(uid)}-${typeof part === 'string' ? part : part.toString().padStart(3, '0')}`
export const sealingKeyName = (uid: string) => `godwit-sealing-${shortUid(uid)}`
export const credentialName = (uid: string) => `godwit-credential-${shortUid(uid)}`

/** Labels of an object that Godwit makes on the global hub, by which Cleaning finds it. */
export const ownLabels = (migrationUid: string, purpose: 'bundle' | 'credential' | 'task') => ({
  [labels.migration]: migrationUid,
  [labels.purpose]: purpose,
})
