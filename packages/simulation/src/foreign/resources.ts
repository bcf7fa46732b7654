/** The collections of the foreign kinds. */
import { defineResource, type Resource } from '@godwit/kube'

const cluster = 'cluster.open-cluster-management.io'
const metal3 = 'metal3.io/v1alpha1'
const operator = 'operator.open-cluster-management.io/v1'

export const foreign = Object.freeze({
  managedClusters: defineResource(`${cluster}/v1`, 'ManagedCluster', 'managedclusters', 'Cluster'),
  placements: defineResource(`${cluster}/v1beta1`, 'Placement', 'placements', 'Namespaced'),
  placementDecisions: defineResource(`${cluster}/v1beta1`, 'PlacementDecision', 'placementdecisions', 'Namespaced'),
  managedClusterSets: defineResource(`${cluster}/v1beta2`, 'ManagedClusterSet', 'managedclustersets', 'Cluster'),
  manifestWorks: defineResource('work.open-cluster-management.io/v1', 'ManifestWork', 'manifestworks', 'Namespaced'),
  klusterletConfigs: defineResource(
    'config.open-cluster-management.io/v1alpha1',
    'KlusterletConfig',
    'klusterletconfigs',
    'Cluster',
  ),
  klusterletAddonConfigs: defineResource(
    'agent.open-cluster-management.io/v1',
    'KlusterletAddonConfig',
    'klusterletaddonconfigs',
    'Namespaced',
  ),
  managedServiceAccounts: defineResource(
    'authentication.open-cluster-management.io/v1beta1',
    'ManagedServiceAccount',
    'managedserviceaccounts',
    'Namespaced',
  ),
  managedClusterAddOns: defineResource(
    'addon.open-cluster-management.io/v1alpha1',
    'ManagedClusterAddOn',
    'managedclusteraddons',
    'Namespaced',
  ),
  multiClusterHubs: defineResource(operator, 'MultiClusterHub', 'multiclusterhubs', 'Namespaced'),
  clusterManagers: defineResource(operator, 'ClusterManager', 'clustermanagers', 'Cluster'),
  clusterDeployments: defineResource('hive.openshift.io/v1', 'ClusterDeployment', 'clusterdeployments', 'Namespaced'),
  bareMetalHosts: defineResource(metal3, 'BareMetalHost', 'baremetalhosts', 'Namespaced'),
  hostFirmwareSettings: defineResource(metal3, 'HostFirmwareSettings', 'hostfirmwaresettings', 'Namespaced'),
  firmwareSchemas: defineResource(metal3, 'FirmwareSchema', 'firmwareschemas', 'Namespaced'),
  hostFirmwareComponents: defineResource(metal3, 'HostFirmwareComponents', 'hostfirmwarecomponents', 'Namespaced'),
  dataImages: defineResource(metal3, 'DataImage', 'dataimages', 'Namespaced'),
  imageClusterInstalls: defineResource(
    'extensions.hive.openshift.io/v1alpha1',
    'ImageClusterInstall',
    'imageclusterinstalls',
    'Namespaced',
  ),
  observabilityAddons: defineResource(
    'observability.open-cluster-management.io/v1beta1',
    'ObservabilityAddon',
    'observabilityaddons',
    'Namespaced',
  ),
}) satisfies Readonly<Record<string, Resource>>

/** Key of a foreign kind, for instance `managedClusters`. */
export type ForeignKind = keyof typeof foreign
