/** Reads everything of one cluster that migrates with it, fresh from the source hub (reference table 7.1). */
import { Terminal } from '@godwit/core'
import { type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { annotation, annotations, labels, type ManagedCluster, ocm, provisioning } from '../api/index.ts'
import { ALLOWED } from './allow-list.ts'
import { clean } from './clean.ts'

interface Found {
  readonly object: KubeObject
  readonly isReferenced: boolean
}

export interface CollectOptions {
  readonly client: KubeClient
  readonly cluster: string
  /** The user had disabled auto-import before the migration did. */
  readonly keepDisableAutoImport: boolean
}

/** @returns cleaned objects: those that others refer to first, each once. */
export async function collect(options: CollectOptions): Promise<readonly KubeObject[]> {
  const { client, cluster } = options
  const [managedCluster, secrets, configMaps, addonConfig, provisioned] = await Promise.all([
    client.get<ManagedCluster>(ocm.managedClusters, { name: cluster }),
    listIfServed(client, resources.secrets, cluster),
    listIfServed(client, resources.configMaps, cluster),
    getIfServed(client, ocm.klusterletAddonConfigs, cluster),
    collectProvisioning(client, cluster),
  ])
  if (!managedCluster) throw new Terminal('ClusterNotFound', `managed cluster ${cluster} is gone from the source hub`)
  const referenced = referencedNames(provisioned)
  const found: Found[] = [
    ...pick(secrets, referenced.secrets),
    ...pick(configMaps, referenced.configMaps),
    ...secrets.filter(secret => isOwnSecret(cluster, secret)).map(own),
    ...configMaps.filter(object => object.metadata.labels?.[labels.siteconfigPreserve] !== undefined).map(own),
    own(managedCluster),
    ...addonConfig.map(own),
    ...provisioned.map(own),
  ]
  return unique(found).map(({ object, isReferenced }) =>
    clean(object, {
      withStatus: hasTravellingStatus(object),
      isReferenced,
      keepDisableAutoImport: options.keepDisableAutoImport,
    }),
  )
}

const own = (object: KubeObject): Found => ({ object, isReferenced: false })

const pick = (objects: readonly KubeObject[], names: ReadonlySet<string>): Found[] =>
  objects.filter(object => names.has(object.metadata.name)).map(object => ({ object, isReferenced: true }))

const OWN_SECRETS = ['admin-password', 'admin-kubeconfig', 'metadata-json', 'seed-reconfiguration']

function isOwnSecret(cluster: string, secret: KubeObject): boolean {
  return (
    OWN_SECRETS.some(suffix => secret.metadata.name === `${cluster}-${suffix}`) ||
    annotation(secret, annotations.siteconfigSyncWave) !== undefined ||
    secret.metadata.labels?.[labels.siteconfigPreserve] !== undefined
  )
}

const hasTravellingStatus = (object: KubeObject) =>
  ALLOWED.some(({ resource, withStatus }) => withStatus && resource.kind === object.kind)

async function collectProvisioning(client: KubeClient, cluster: string): Promise<readonly KubeObject[]> {
  const lists = await Promise.all([
    collectHosts(client, cluster),
    getIfServed(client, provisioning.imageClusterInstalls, cluster),
    getIfServed(client, provisioning.clusterDeployments, cluster),
  ])
  return lists.flat()
}

/** Firmware objects belong to a host of their namespace: most clusters have none, and are not asked for the rest. */
async function collectHosts(client: KubeClient, cluster: string): Promise<readonly KubeObject[]> {
  const hosts = await listIfServed(client, provisioning.bareMetalHosts, cluster)
  if (hosts.length === 0) return []
  const firmware = await Promise.all([
    listIfServed(client, provisioning.hostFirmwareSettings, cluster),
    listIfServed(client, provisioning.firmwareSchemas, cluster),
    listIfServed(client, provisioning.hostFirmwareComponents, cluster),
  ])
  return [...hosts, ...firmware.flat()]
}

async function listIfServed(client: KubeClient, resource: Resource, namespace: string): Promise<readonly KubeObject[]> {
  if (resource.group && !(await client.serves(resource))) return []
  return (await client.list<KubeObject>(resource, { namespace })).items
}

async function getIfServed(client: KubeClient, resource: Resource, cluster: string): Promise<readonly KubeObject[]> {
  if (!(await client.serves(resource))) return []
  const object = await client.get<KubeObject>(resource, { name: cluster, namespace: cluster })
  return object ? [object] : []
}

interface Referring {
  readonly spec?: {
    readonly bmc?: { readonly credentialsName?: string }
    readonly pullSecretRef?: { readonly name?: string }
    readonly extraManifestsRefs?: readonly { readonly name?: string }[]
  }
}

function referencedNames(objects: readonly KubeObject[]) {
  const secrets = new Set<string>()
  const configMaps = new Set<string>()
  for (const object of objects) {
    const { spec } = object as KubeObject & Referring
    for (const name of [spec?.bmc?.credentialsName, spec?.pullSecretRef?.name]) if (name) secrets.add(name)
    for (const { name } of spec?.extraManifestsRefs ?? []) if (name) configMaps.add(name)
  }
  return { secrets, configMaps }
}

function unique(found: readonly Found[]): readonly Found[] {
  const seen = new Map<string, Found>()
  for (const one of found) {
    const key = `${one.object.kind}/${one.object.metadata.name}`
    if (!seen.has(key)) seen.set(key, one)
  }
  return [...seen.values()]
}
