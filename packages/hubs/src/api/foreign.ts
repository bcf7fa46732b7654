/** Kinds of other systems, reduced to what a migration reads or writes. */
import { defineResource, type ObjectMeta, type Resource } from '@godwit/kube'
import type { MigrationCondition } from './migration.ts'

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly observedGeneration?: number
}

interface Base {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

export interface ManagedCluster extends Base {
  readonly spec?: {
    readonly hubAcceptsClient?: boolean
    readonly managedClusterClientConfigs?: readonly { readonly url?: string; readonly caBundle?: string }[]
  }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

export interface Lease extends Base {
  readonly spec?: { readonly renewTime?: string; readonly holderIdentity?: string }
}

export interface ManifestWork extends Base {
  readonly spec?: {
    readonly workload?: { readonly manifests?: readonly UnknownObject[] }
    readonly manifestConfigs?: readonly { readonly updateStrategy?: { readonly type?: string } }[]
  }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

export interface UnknownObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Partial<ObjectMeta>
  readonly [member: string]: unknown
}

export interface CertificateSigningRequest extends Base {
  readonly spec?: { readonly username?: string; readonly signerName?: string }
  readonly status?: { readonly conditions?: readonly Condition[]; readonly certificate?: string }
}

export interface Secret extends Base {
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly type?: string
}

export interface ConfigMap extends Base {
  readonly data?: Readonly<Record<string, string>>
}

export interface ClusterManager extends Base {
  readonly spec?: {
    readonly registrationConfiguration?: {
      readonly autoApproveUsers?: readonly string[]
      readonly featureGates?: readonly { readonly feature: string; readonly mode?: string }[]
    }
  }
}

export interface PlacementDecision extends Base {
  readonly status?: { readonly decisions?: readonly { readonly clusterName: string }[] }
}

export interface ManagedClusterAddOn extends Base {
  readonly status?: { readonly namespace?: string }
}

export interface MultiClusterHub extends Base {
  readonly status?: { readonly currentVersion?: string }
}

const namespaced = (apiVersion: string, kind: string, plural: string): Resource =>
  defineResource(apiVersion, kind, plural, 'Namespaced')
const cluster = (apiVersion: string, kind: string, plural: string): Resource =>
  defineResource(apiVersion, kind, plural, 'Cluster')

export const ocm = {
  managedClusters: cluster('cluster.open-cluster-management.io/v1', 'ManagedCluster', 'managedclusters'),
  placementDecisions: namespaced(
    'cluster.open-cluster-management.io/v1beta1',
    'PlacementDecision',
    'placementdecisions',
  ),
  manifestWorks: namespaced('work.open-cluster-management.io/v1', 'ManifestWork', 'manifestworks'),
  klusterletConfigs: cluster('config.open-cluster-management.io/v1alpha1', 'KlusterletConfig', 'klusterletconfigs'),
  klusterletAddonConfigs: namespaced(
    'agent.open-cluster-management.io/v1',
    'KlusterletAddonConfig',
    'klusterletaddonconfigs',
  ),
  managedServiceAccounts: namespaced(
    'authentication.open-cluster-management.io/v1beta1',
    'ManagedServiceAccount',
    'managedserviceaccounts',
  ),
  managedClusterAddOns: namespaced(
    'addon.open-cluster-management.io/v1alpha1',
    'ManagedClusterAddOn',
    'managedclusteraddons',
  ),
  clusterManagers: cluster('operator.open-cluster-management.io/v1', 'ClusterManager', 'clustermanagers'),
  multiClusterHubs: namespaced('operator.open-cluster-management.io/v1', 'MultiClusterHub', 'multiclusterhubs'),
  observabilityAddons: namespaced(
    'observability.open-cluster-management.io/v1beta1',
    'ObservabilityAddon',
    'observabilityaddons',
  ),
} as const

export const provisioning = {
  bareMetalHosts: namespaced('metal3.io/v1alpha1', 'BareMetalHost', 'baremetalhosts'),
  hostFirmwareSettings: namespaced('metal3.io/v1alpha1', 'HostFirmwareSettings', 'hostfirmwaresettings'),
  firmwareSchemas: namespaced('metal3.io/v1alpha1', 'FirmwareSchema', 'firmwareschemas'),
  hostFirmwareComponents: namespaced('metal3.io/v1alpha1', 'HostFirmwareComponents', 'hostfirmwarecomponents'),
  dataImages: namespaced('metal3.io/v1alpha1', 'DataImage', 'dataimages'),
  imageClusterInstalls: namespaced(
    'extensions.hive.openshift.io/v1alpha1',
    'ImageClusterInstall',
    'imageclusterinstalls',
  ),
  clusterDeployments: namespaced('hive.openshift.io/v1', 'ClusterDeployment', 'clusterdeployments'),
} as const

export const godwit = {
  migrations: namespaced(
    'global-hub.open-cluster-management.io/v1alpha1',
    'ManagedClusterMigration',
    'managedclustermigrations',
  ),
  tasks: namespaced('godwit.dev/v1alpha1', 'MigrationTask', 'migrationtasks'),
} as const

export function conditionOf<C extends Condition | MigrationCondition>(
  object: { readonly status?: { readonly conditions?: readonly C[] | undefined } | undefined } | undefined,
  type: string,
): C | undefined {
  return object?.status?.conditions?.find(condition => condition.type === type)
}

export const isTrue = (condition: Condition | undefined) => condition?.status === 'True'

export const annotation = (object: { readonly metadata: ObjectMeta } | undefined, key: string): string | undefined =>
  object?.metadata.annotations?.[key]
