/** What zero-touch provisioning leaves in a cluster's namespace. Pure. */
import type { KubeObject, Resource } from '@godwit/kube'
import { resources } from '@godwit/kube'
import { annotations, finalizers, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { OpenObject, Secret } from '../foreign/types.ts'

export interface Placed {
  readonly resource: Resource
  readonly object: KubeObject & { readonly spec?: unknown; readonly data?: unknown; readonly status?: unknown }
}

const encode = (text: string) => Buffer.from(text).toString('base64')

interface SecretOptions {
  readonly type?: string
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
  readonly finalizers?: string[]
}

const secret = (cluster: string, name: string, data: Record<string, string>, options: SecretOptions = {}): Placed => {
  const { type = 'Opaque', ...marks } = options
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)]))
  const object: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: cluster, ...marks },
    type,
    data: encoded,
  }
  return { resource: resources.secrets, object }
}

const metal3 = (cluster: string, kind: string, name: string): OpenObject => ({
  apiVersion: 'metal3.io/v1alpha1',
  kind,
  metadata: { name, namespace: cluster },
})

function bareMetalHost(cluster: string, host: string): Placed {
  const base = metal3(cluster, 'BareMetalHost', host)
  const object: OpenObject = {
    ...base,
    metadata: { ...base.metadata, finalizers: [finalizers.metal3Host] },
    spec: {
      online: true,
      bootMACAddress: '52:54:00:00:00:01',
      bootMode: 'UEFI',
      automatedCleaningMode: 'disabled',
      bmc: {
        address: `redfish-virtualmedia://bmc.${cluster}.example.com/redfish/v1/Systems/1`,
        credentialsName: `${host}-bmc-secret`,
        disableCertificateVerification: true,
      },
    },
    status: {
      operationalStatus: 'OK',
      poweredOn: true,
      provisioning: { state: 'provisioned', ID: `id-${host}` },
      hardware: { cpu: { arch: 'x86_64', count: 16 }, ramMebibytes: 65_536 },
    },
  }
  return { resource: foreign.bareMetalHosts, object }
}

function clusterDeployment(cluster: string): Placed {
  const object: OpenObject = {
    apiVersion: 'hive.openshift.io/v1',
    kind: 'ClusterDeployment',
    metadata: { name: cluster, namespace: cluster, finalizers: [finalizers.hiveDeprovision] },
    spec: {
      baseDomain: 'example.com',
      clusterName: cluster,
      installed: true,
      pullSecretRef: { name: `${cluster}-pull-secret` },
      clusterMetadata: {
        clusterID: `id-${cluster}`,
        infraID: `infra-${cluster}`,
        adminKubeconfigSecretRef: { name: `${cluster}-admin-kubeconfig` },
        adminPasswordSecretRef: { name: `${cluster}-admin-password` },
      },
      platform: { agentBareMetal: { agentSelector: { matchLabels: { cluster } } } },
    },
    status: {
      apiURL: `https://api.${cluster}.example.com:6443`,
      installedTimestamp: '2026-01-01T00:00:00Z',
      conditions: [{ type: 'Provisioned', status: 'True', reason: 'Provisioned', message: 'Cluster is provisioned' }],
    },
  }
  return { resource: foreign.clusterDeployments, object }
}

function firmware(cluster: string, host: string): Placed[] {
  return [
    {
      resource: foreign.hostFirmwareSettings,
      object: {
        ...metal3(cluster, 'HostFirmwareSettings', host),
        spec: { settings: {} },
        status: {
          settings: { ProcVirtualization: 'Enabled' },
          schema: { name: `schema-${cluster}`, namespace: cluster },
        },
      },
    },
    {
      resource: foreign.firmwareSchemas,
      object: {
        ...metal3(cluster, 'FirmwareSchema', `schema-${cluster}`),
        spec: { hardwareVendor: 'Example', schema: { ProcVirtualization: { attribute_type: 'Enumeration' } } },
      },
    },
    {
      resource: foreign.hostFirmwareComponents,
      object: {
        ...metal3(cluster, 'HostFirmwareComponents', host),
        spec: { updates: [] },
        status: { components: [{ component: 'bios', currentVersion: '1.2.3' }] },
      },
    },
  ]
}

/** Objects of a cluster that was provisioned from its hub. */
export function ztpObjects(cluster: string): Placed[] {
  const host = `${cluster}-host`
  return [
    secret(cluster, `${cluster}-admin-password`, { username: 'kubeadmin', password: `password of ${cluster}` }),
    secret(cluster, `${cluster}-admin-kubeconfig`, { kubeconfig: `kubeconfig of ${cluster}` }),
    secret(cluster, `${cluster}-metadata-json`, { 'metadata.json': JSON.stringify({ clusterName: cluster }) }),
    secret(
      cluster,
      `${cluster}-pull-secret`,
      { '.dockerconfigjson': JSON.stringify({ auths: {} }) },
      { type: 'kubernetes.io/dockerconfigjson' },
    ),
    secret(
      cluster,
      `${host}-bmc-secret`,
      { username: 'root', password: `bmc password of ${cluster}` },
      { finalizers: [finalizers.metal3Secret] },
    ),
    secret(cluster, `${cluster}-synced`, { key: 'value' }, { annotations: { [annotations.siteconfigSyncWave]: '1' } }),
    secret(cluster, `${cluster}-kept`, { key: 'value' }, { labels: { [labels.siteconfigPreserve]: '' } }),
    {
      resource: resources.configMaps,
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${cluster}-kept`, namespace: cluster, labels: { [labels.siteconfigPreserve]: '' } },
        data: { key: 'value' },
      },
    },
    bareMetalHost(cluster, host),
    ...firmware(cluster, host),
    clusterDeployment(cluster),
  ]
}

/** Objects of a cluster that was installed from an image, on top of `ztpObjects`. */
export function imageBasedObjects(cluster: string): Placed[] {
  return [
    {
      resource: resources.configMaps,
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${cluster}-extra-manifests`, namespace: cluster },
        data: { 'extra.yaml': 'apiVersion: v1' },
      },
    },
    secret(cluster, `${cluster}-seed-reconfiguration`, { 'manifest.json': JSON.stringify({ clusterName: cluster }) }),
    {
      resource: foreign.imageClusterInstalls,
      object: {
        apiVersion: 'extensions.hive.openshift.io/v1alpha1',
        kind: 'ImageClusterInstall',
        metadata: { name: cluster, namespace: cluster },
        spec: {
          clusterDeploymentRef: { name: cluster },
          imageSetRef: { name: 'img4.18.3' },
          bareMetalHostRef: { name: `${cluster}-host`, namespace: cluster },
          extraManifestsRefs: [{ name: `${cluster}-extra-manifests` }],
          hostname: `${cluster}.example.com`,
        },
        status: {
          conditions: [{ type: 'Completed', status: 'True', reason: 'ClusterInstallationSucceeded', message: '' }],
        },
      },
    },
    {
      resource: foreign.dataImages,
      object: { ...metal3(cluster, 'DataImage', `${cluster}-host`), spec: { url: 'http://images/config.iso' } },
    },
  ]
}
