/** Names that Open Cluster Management and its neighbours use on a hub. They are facts about foreign systems. */

export const annotations = {
  automaticallyAcceptedOn: 'open-cluster-management.io/automatically-accepted-on',
  klusterletConfig: 'agent.open-cluster-management.io/klusterlet-config',
  disableAutoImport: 'import.open-cluster-management.io/disable-auto-import',
  deployMode: 'import.open-cluster-management.io/klusterlet-deploy-mode',
  onMulticlusterHub: 'addon.open-cluster-management.io/on-multicluster-hub',
  retainNamespace: 'open-cluster-management.io/retain-namespace',
  migrating: 'global-hub.open-cluster-management.io/migrating',
  cleanupPriority: 'open-cluster-management.io/cleanup-priority',
  hivePause: 'hive.openshift.io/reconcile-pause',
  metal3Pause: 'baremetalhost.metal3.io/paused',
  siteconfigSyncWave: 'siteconfig.open-cluster-management.io/sync-wave',
  veleroRestoreStatus: 'velero.io/restore-status',
} as const

export const labels = {
  clusterName: 'open-cluster-management.io/cluster-name',
  localCluster: 'local-cluster',
  klusterletWorks: 'import.open-cluster-management.io/klusterlet-works',
  importSecret: 'managedcluster-import-controller.open-cluster-management.io/import-secret',
  isManagedServiceAccount: 'authentication.open-cluster-management.io/is-managed-serviceaccount',
  placement: 'cluster.open-cluster-management.io/placement',
  clusterSet: 'cluster.open-cluster-management.io/clusterset',
  siteconfigPreserve: 'siteconfig.open-cluster-management.io/preserve',
  veleroRestore: 'velero.io/restore-name',
  backup: 'cluster.open-cluster-management.io/backup',
} as const

export const finalizers = {
  apiResourceCleanup: 'cluster.open-cluster-management.io/api-resource-cleanup',
  resourceCleanup: 'cluster.open-cluster-management.io/resource-cleanup',
  importCleanup: 'managedcluster-import-controller.open-cluster-management.io/cleanup',
  importWorkCleanup: 'managedcluster-import-controller.open-cluster-management.io/manifestwork-cleanup',
  manifestWorkCleanup: 'cluster.open-cluster-management.io/manifest-work-cleanup',
  hiveDeprovision: 'hive.openshift.io/deprovision',
  metal3Host: 'baremetalhost.metal3.io',
  metal3Secret: 'baremetalhost.metal3.io/secret',
  observability: 'observability.open-cluster-management.io/addon-cleanup',
} as const

export const conditions = {
  hubAccepted: 'HubAcceptedManagedCluster',
  joined: 'ManagedClusterJoined',
  available: 'ManagedClusterConditionAvailable',
  clockSynced: 'ManagedClusterConditionClockSynced',
  importSucceeded: 'ManagedClusterImportSucceeded',
  applied: 'Applied',
  workAvailable: 'Available',
} as const

export const taints = {
  unavailable: 'cluster.open-cluster-management.io/unavailable',
  unreachable: 'cluster.open-cluster-management.io/unreachable',
} as const

export const LEASE_NAME = 'managed-cluster-lease'
export const CLUSTER_MANAGER = 'cluster-manager'
export const AUTO_APPROVAL_GATE = 'ManagedClusterAutoApproval'
export const ENGINE_NAMESPACE = 'multicluster-engine'
export const AGENT_NAMESPACE = 'open-cluster-management-agent'
export const ADDON_NAMESPACE = 'open-cluster-management-agent-addon'
export const GLOBAL_HUB_NAMESPACE = 'multicluster-global-hub'
export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'
/** Bootstrap Secret of a klusterlet that knows one hub only. */
export const SINGLE_BOOTSTRAP = 'bootstrap-hub-kubeconfig'
/** Under this name the import controller appends its own hub to the bootstraps of a KlusterletConfig. */
export const CURRENT_HUB_BOOTSTRAP = 'bootstrap-hub-kubeconfig-current-hub'
export const HUB_KUBECONFIG = 'hub-kubeconfig-secret'

export const roles = {
  registration: 'open-cluster-management:managedcluster:registration',
  work: 'open-cluster-management:managedcluster:work',
  bootstrapAcm: 'open-cluster-management:managedcluster:bootstrap:agent-registration',
  bootstrapOcm: 'open-cluster-management:bootstrap',
} as const

export const clusterRoleName = (cluster: string) => `open-cluster-management:managedcluster:${cluster}`
export const registrationBindingName = (cluster: string) => `${clusterRoleName(cluster)}:registration`
export const workBindingName = (cluster: string) => `${clusterRoleName(cluster)}:work`
export const klusterletWorkName = (cluster: string) => `${cluster}-klusterlet`
export const crdsWorkName = (cluster: string) => `${cluster}-klusterlet-crds`
export const importSecretName = (cluster: string) => `${cluster}-import`
export const bootstrapServiceAccount = (cluster: string) => `${cluster}-bootstrap-sa`
export const bootstrapUser = (cluster: string) => `system:serviceaccount:${cluster}:${bootstrapServiceAccount(cluster)}`
export const bootstrapBindingName = (cluster: string) =>
  `system:open-cluster-management:managedcluster:bootstrap:${cluster}`

/** Groups of a klusterlet's client certificate. */
export const agentGroups = (cluster: string) => [
  `system:open-cluster-management:${cluster}`,
  'system:open-cluster-management:managed-clusters',
]
/** User of a klusterlet's client certificate; `agentId` is the uid of its Klusterlet. */
export const agentUser = (cluster: string, agentId: string) => `system:open-cluster-management:${cluster}:${agentId}`
