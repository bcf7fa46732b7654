/** What must be the same on the target as it was on the source. Independent of how the system under test collects it. */
import { type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { annotations, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'

/** Content of the objects of some clusters, by `<kind> <namespace>/<name>`. */
export type Snapshot = ReadonlyMap<string, string>

type Content = KubeObject & Readonly<Record<string, unknown>>

/** Annotations that come and go with a move, or with the tools that made the object. */
const VOLATILE = [/^godwit\.dev\//, /^velero\.io\//, /last-applied-configuration$/]
const VOLATILE_KEYS: readonly string[] = [
  annotations.hivePause,
  annotations.metal3Pause,
  annotations.migrating,
  annotations.klusterletConfig,
  annotations.disableAutoImport,
  annotations.automaticallyAcceptedOn,
  labels.veleroRestore,
  labels.backup,
]

const WITH_STATUS: readonly Resource[] = [
  foreign.bareMetalHosts,
  foreign.hostFirmwareSettings,
  foreign.firmwareSchemas,
  foreign.hostFirmwareComponents,
  foreign.imageClusterInstalls,
  foreign.clusterDeployments,
]
const IN_NAMESPACE: readonly Resource[] = [
  resources.secrets,
  resources.configMaps,
  foreign.klusterletAddonConfigs,
  ...WITH_STATUS,
]

/** Reads what a move of these clusters must preserve. */
export async function takeSnapshot(client: KubeClient, clusters: readonly string[]): Promise<Snapshot> {
  const wanted = new Set(clusters)
  const snapshot = new Map<string, string>()
  for (const resource of IN_NAMESPACE) {
    const { items } = await client.list<Content>(resource)
    for (const item of items) {
      const cluster = item.metadata.namespace ?? ''
      if (wanted.has(cluster) && isMoved(resource, item, cluster))
        snapshot.set(keyOf(resource, item), contentOf(resource, item))
    }
  }
  const { items } = await client.list<Content>(foreign.managedClusters)
  for (const item of items)
    if (wanted.has(item.metadata.name)) snapshot.set(keyOf(foreign.managedClusters, item), labelsOf(item.metadata))
  return snapshot
}

const keyOf = ({ kind }: Resource, { metadata: { namespace, name } }: KubeObject) =>
  `${kind} ${namespace ? `${namespace}/` : ''}${name}`

const OWN_SECRETS = ['admin-password', 'admin-kubeconfig', 'metadata-json', 'seed-reconfiguration', 'pull-secret']

/** Secrets and ConfigMaps move by name, mark or reference; of the other kinds everything does. */
function isMoved(resource: Resource, { metadata }: Content, cluster: string): boolean {
  if (resource !== resources.secrets && resource !== resources.configMaps) return true
  const isMarked =
    metadata.labels?.[labels.siteconfigPreserve] !== undefined ||
    metadata.annotations?.[annotations.siteconfigSyncWave] !== undefined
  const isOwn = OWN_SECRETS.some(suffix => metadata.name === `${cluster}-${suffix}`)
  return isMarked || isOwn || metadata.name.endsWith('-bmc-secret') || metadata.name.endsWith('-extra-manifests')
}

function contentOf(resource: Resource, object: Content): string {
  const { metadata, status, apiVersion: _version, kind: _kind, ...content } = object
  const kept = WITH_STATUS.includes(resource) ? { ...content, status } : content
  return canonical({ ...kept, labels: lasting(metadata.labels), annotations: lasting(metadata.annotations) })
}

const labelsOf = (metadata: KubeObject['metadata']) => canonical(lasting(metadata.labels))

function lasting(marks: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const isLasting = ([key]: [string, string]) => !VOLATILE_KEYS.includes(key) && !VOLATILE.some(each => each.test(key))
  return Object.fromEntries(Object.entries(marks ?? {}).filter(isLasting))
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}
