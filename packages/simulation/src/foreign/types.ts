/** Shapes of the foreign kinds, as far as anybody here reads them. */
import type { KubeObject } from '@godwit/kube'

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration?: number
}

export interface WithConditions extends KubeObject {
  status?: { conditions?: Condition[] }
}

export interface ClientConfig {
  url: string
  caBundle?: string
}

export interface Taint {
  key: string
  value?: string
  effect: 'NoSelect' | 'PreferNoSelect' | 'NoSelectIfNew'
  timeAdded?: string
}

export interface ManagedCluster extends KubeObject {
  spec: {
    hubAcceptsClient: boolean
    leaseDurationSeconds?: number
    managedClusterClientConfigs?: ClientConfig[]
    taints?: Taint[]
  }
  status?: {
    conditions?: Condition[]
    version?: { kubernetes?: string }
    capacity?: Record<string, string>
    allocatable?: Record<string, string>
    clusterClaims?: { name: string; value: string }[]
  }
}

export interface Lease extends KubeObject {
  spec: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    renewTime?: string
  }
}

export interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

/** How one manifest of a work is put on the managed cluster. */
export interface ManifestConfig {
  resourceIdentifier: { group: string; resource: string; namespace?: string; name: string }
  updateStrategy?: { type: 'Update' | 'CreateOnly' | 'ServerSideApply' | 'ReadOnly' }
}

export interface ManifestWork extends KubeObject {
  spec: {
    workload?: { manifests?: KubeObject[] }
    deleteOption?: { propagationPolicy: 'Foreground' | 'Orphan' | 'SelectivelyOrphan' }
    manifestConfigs?: ManifestConfig[]
  }
  status?: { conditions?: Condition[] }
}

export interface ClusterManager extends KubeObject {
  spec?: {
    registrationConfiguration?: {
      autoApproveUsers?: string[]
      featureGates?: { feature: string; mode: 'Enable' | 'Disable' }[]
    }
  }
}

export interface KlusterletConfig extends KubeObject {
  spec?: {
    multipleHubsConfig?: {
      genBootstrapKubeConfigStrategy?: 'Default' | 'IncludeCurrentHub'
      bootstrapKubeConfigs?: BootstrapKubeConfigs
    }
    /** ACM 2.13 only. */
    bootstrapKubeConfigs?: BootstrapKubeConfigs
    appliedManifestWorkEvictionGracePeriod?: string
  }
}

export interface BootstrapKubeConfigs {
  type?: 'None' | 'LocalSecrets'
  localSecretsConfig?: {
    kubeConfigSecrets?: { name: string }[]
    hubConnectionTimeoutSeconds?: number
  }
}

/** The Klusterlet object as it travels inside a ManifestWork. */
export interface Klusterlet extends KubeObject {
  spec?: {
    clusterName?: string
    namespace?: string
    registrationConfiguration?: {
      featureGates?: { feature: string; mode: 'Enable' | 'Disable' }[]
      bootstrapKubeConfigs?: BootstrapKubeConfigs
    }
    workConfiguration?: { appliedManifestWorkEvictionGracePeriod?: string }
  }
}

export interface CertificateSigningRequest extends KubeObject {
  spec: {
    request: string
    signerName: string
    usages: string[]
    username?: string
    groups?: string[]
    expirationSeconds?: number
  }
  status?: {
    certificate?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
  }
}

export interface ManagedServiceAccount extends KubeObject {
  spec: {
    rotation?: { enabled?: boolean; validity?: string }
    ttlSecondsAfterCreation?: number
  }
  status?: {
    conditions?: Condition[]
    expirationTimestamp?: string
    tokenSecretRef?: { name: string; lastRefreshTimestamp: string }
  }
}

export interface ManagedClusterAddOn extends KubeObject {
  spec?: { installNamespace?: string }
  status?: { namespace?: string; conditions?: Condition[] }
}

/** Anything whose content nobody here reads. */
export interface OpenObject extends KubeObject {
  spec?: Record<string, unknown>
  status?: Record<string, unknown>
}

export interface RoleBinding extends KubeObject {
  roleRef: { apiGroup: string; kind: 'Role' | 'ClusterRole'; name: string }
  subjects?: { kind: 'User' | 'Group' | 'ServiceAccount'; name: string; namespace?: string; apiGroup?: string }[]
}

export interface PolicyRule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
  resourceNames?: string[]
}

export interface ClusterRole extends KubeObject {
  rules: PolicyRule[]
}
