/** Minimal but structural CustomResourceDefinitions of the foreign kinds: what a migration touches is typed. */
import type { KubeObject, Resource } from '@godwit/kube'
import {
  conditionList,
  flag,
  integer,
  list,
  map,
  moment,
  oneOf,
  open,
  record,
  type Schema,
  text,
  withDefault,
} from './crd-schema.ts'
import { type ForeignKind, foreign } from './resources.ts'

interface Shape {
  readonly spec: Schema
  readonly status?: Schema
  readonly shortNames?: readonly string[]
}

const featureGates = list(
  record({ feature: text, mode: withDefault(oneOf('Enable', 'Disable'), 'Disable') }, ['feature']),
)

const bootstrapKubeConfigs = record({
  type: withDefault(oneOf('None', 'LocalSecrets'), 'None'),
  localSecretsConfig: record({
    kubeConfigSecrets: list(record({ name: text })),
    hubConnectionTimeoutSeconds: { ...withDefault(integer, 600), minimum: 180 },
  }),
})

const addon = record({ enabled: flag, proxyPolicy: oneOf('Disabled', 'OCPGlobalProxy', 'CustomProxy') })
const openShape: Shape = { spec: open, status: open }

const shapes: Readonly<Record<ForeignKind, Shape>> = {
  managedClusters: {
    spec: record({
      hubAcceptsClient: withDefault(flag, false),
      leaseDurationSeconds: { ...withDefault(integer, 60), minimum: 0 },
      managedClusterClientConfigs: list(record({ url: text, caBundle: { type: 'string', format: 'byte' } }, ['url'])),
      taints: list(
        record(
          {
            key: { type: 'string', minLength: 1, maxLength: 316 },
            value: { type: 'string', maxLength: 1024 },
            effect: oneOf('NoSelect', 'PreferNoSelect', 'NoSelectIfNew'),
            timeAdded: { ...moment, nullable: true },
          },
          ['key', 'effect'],
        ),
      ),
    }),
    status: record({
      conditions: conditionList,
      version: record({ kubernetes: text }),
      capacity: map(text),
      allocatable: map(text),
      clusterClaims: list(record({ name: text, value: text })),
      managedNamespaces: list(open),
    }),
    shortNames: ['mcl', 'mcls'],
  },
  placements: {
    spec: record({
      numberOfClusters: integer,
      clusterSets: list(text),
      predicates: list(open),
      tolerations: list(open),
    }),
    status: record({ numberOfSelectedClusters: integer, conditions: conditionList, decisionGroups: list(open) }),
  },
  placementDecisions: {
    spec: open,
    status: record({ decisions: list(record({ clusterName: text, reason: text }, ['clusterName'])) }),
  },
  managedClusterSets: { spec: open, status: record({ conditions: conditionList }), shortNames: ['mclset', 'mclsets'] },
  manifestWorks: {
    spec: record({
      workload: record({ manifests: list(open) }),
      deleteOption: record({
        propagationPolicy: withDefault(oneOf('Foreground', 'Orphan', 'SelectivelyOrphan'), 'Foreground'),
        selectivelyOrphans: open,
        ttlSecondsAfterFinished: { type: 'integer', format: 'int64' },
      }),
      manifestConfigs: list(
        record(
          {
            resourceIdentifier: record({ group: text, resource: text, namespace: text, name: text }, [
              'resource',
              'name',
            ]),
            updateStrategy: record({
              type: withDefault(oneOf('Update', 'CreateOnly', 'ServerSideApply', 'ReadOnly'), 'Update'),
              serverSideApply: open,
            }),
            feedbackRules: list(open),
            conditionRules: list(open),
          },
          ['resourceIdentifier'],
        ),
      ),
      executor: open,
    }),
    status: record({ conditions: conditionList, resourceStatus: open }),
  },
  klusterletConfigs: {
    spec: record({
      multipleHubsConfig: record({
        genBootstrapKubeConfigStrategy: withDefault(oneOf('Default', 'IncludeCurrentHub'), 'Default'),
        bootstrapKubeConfigs,
      }),
      bootstrapKubeConfigs,
      hubKubeAPIServerConfig: open,
      registries: list(open),
      pullSecret: open,
      nodePlacement: open,
      installMode: open,
      featureGates,
      clusterClaimConfiguration: open,
      workStatusSyncInterval: text,
      appliedManifestWorkEvictionGracePeriod: text,
      registrationDriver: open,
      addOnKubeClientRegistrationDriver: open,
    }),
    status: record({ conditions: conditionList }),
  },
  klusterletAddonConfigs: {
    spec: record({
      searchCollector: addon,
      policyController: addon,
      applicationManager: addon,
      certPolicyController: addon,
      iamPolicyController: addon,
      proxyConfig: record({ httpProxy: text, httpsProxy: text, noProxy: text }),
      version: text,
      clusterName: text,
      clusterNamespace: text,
      clusterLabels: map(text),
    }),
    status: record({ ocpGlobalProxy: open, conditions: conditionList }),
  },
  managedServiceAccounts: {
    spec: record({
      rotation: record({ enabled: withDefault(flag, true), validity: withDefault(text, '8640h0m0s') }),
      ttlSecondsAfterCreation: integer,
    }),
    status: record({
      conditions: conditionList,
      expirationTimestamp: moment,
      tokenSecretRef: record({ name: text, lastRefreshTimestamp: moment }, ['name', 'lastRefreshTimestamp']),
    }),
  },
  managedClusterAddOns: {
    spec: record({ installNamespace: text, configs: list(open) }),
    status: record({
      namespace: text,
      conditions: conditionList,
      addOnMeta: open,
      registrations: list(open),
      relatedObjects: list(open),
      healthCheck: open,
    }),
    shortNames: ['mca', 'mcas'],
  },
  multiClusterHubs: { spec: open, status: record({ currentVersion: text, phase: text, conditions: conditionList }) },
  clusterManagers: {
    spec: record({
      registrationConfiguration: record({
        autoApproveUsers: list(text),
        featureGates,
        registrationDrivers: list(open),
        importerConfiguration: open,
      }),
      workConfiguration: open,
      deployOption: open,
      registrationImagePullSpec: text,
    }),
    status: record({ conditions: conditionList, observedGeneration: { type: 'integer', format: 'int64' } }),
  },
  clusterDeployments: {
    spec: record(
      {
        baseDomain: text,
        clusterName: text,
        clusterMetadata: open,
        clusterInstallRef: open,
        installed: flag,
        platform: open,
        preserveOnDelete: flag,
        provisioning: open,
        pullSecretRef: record({ name: text }),
        controlPlaneConfig: open,
        powerState: text,
      },
      ['baseDomain', 'clusterName'],
    ),
    status: open,
    shortNames: ['cd'],
  },
  bareMetalHosts: {
    spec: record({
      online: flag,
      bmc: record({ address: text, credentialsName: text, disableCertificateVerification: flag }),
      bootMACAddress: text,
      bootMode: oneOf('UEFI', 'UEFISecureBoot', 'legacy'),
      automatedCleaningMode: oneOf('metadata', 'disabled'),
      image: open,
      rootDeviceHints: open,
      consumerRef: open,
      externallyProvisioned: flag,
      userData: open,
      networkData: open,
    }),
    status: open,
    shortNames: ['bmh', 'bmhost'],
  },
  hostFirmwareSettings: { ...openShape, shortNames: ['hfs'] },
  firmwareSchemas: openShape,
  hostFirmwareComponents: openShape,
  dataImages: openShape,
  imageClusterInstalls: {
    spec: record({
      clusterDeploymentRef: record({ name: text }),
      imageSetRef: record({ name: text }),
      bareMetalHostRef: record({ name: text, namespace: text }),
      extraManifestsRefs: list(record({ name: text })),
      hostname: text,
      sshKey: text,
      clusterMetadata: open,
    }),
    status: open,
    shortNames: ['ici'],
  },
  observabilityAddons: {
    spec: record({ enableMetrics: withDefault(flag, true), interval: withDefault(integer, 30), resources: open }),
    status: record({ conditions: conditionList }),
    shortNames: ['oba'],
  },
}

/** A CustomResourceDefinition, as far as it is read back. */
export interface CrdManifest extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

function manifest(resource: Resource, shape: Shape): CrdManifest {
  const properties = {
    apiVersion: text,
    kind: text,
    metadata: { type: 'object' },
    spec: shape.spec,
    ...(shape.status && { status: shape.status }),
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource.plural}.${resource.group}` },
    spec: {
      group: resource.group,
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular: resource.kind.toLowerCase(),
        ...(shape.shortNames && { shortNames: shape.shortNames }),
      },
      versions: [
        {
          name: resource.version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties } },
          ...(shape.status && { subresources: { status: {} } }),
        },
      ],
    },
  }
}

/** The CustomResourceDefinition of one foreign kind. */
export const crdManifest = (kind: ForeignKind): CrdManifest => manifest(foreign[kind], shapes[kind])
