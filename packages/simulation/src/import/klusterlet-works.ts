/** Keeps the works `<c>-klusterlet` and `<c>-klusterlet-crds`, ReadOnly or frozen for clusters that are being moved. */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '@godwit/kube'
import { annotations, crdsWorkName, klusterletWorkName, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedCluster, ManifestWork } from '../foreign/types.ts'
import type { ImportControllerMode } from '../hub/context.ts'
import type { HubView } from '../hub/hub-view.ts'
import type { ImportManifests } from './import-config.ts'
import { readOnlyConfigs } from './klusterlet-manifests.ts'

/** The definitions must outlive everything else that a detach removes. */
const CRDS_CLEANUP_PRIORITY = '100'

/**
 * Brings both works to what the import Secret says, as far as the controller's age allows. Resolves with the
 * generations of the definitions' work and of the klusterlet's; undefined for one that is being deleted.
 */
export async function ensureKlusterletWorks(
  view: HubView,
  cluster: ManagedCluster,
  { klusterlet, crds }: ImportManifests,
  mode: ImportControllerMode,
): Promise<readonly (number | undefined)[]> {
  const isHandsOff = cluster.metadata.annotations?.[annotations.disableAutoImport] !== undefined
  const options = { isReadOnly: isHandsOff && mode !== 'legacy', isFrozen: isHandsOff && mode === 'frozen' }
  const { name } = cluster.metadata
  const works = [
    newWork(name, crdsWorkName(name), crds, options.isReadOnly),
    newWork(name, klusterletWorkName(name), klusterlet, options.isReadOnly),
  ]
  const generations: (number | undefined)[] = []
  for (const work of works) generations.push(await ensureWork(view, work, options.isFrozen))
  return generations
}

function newWork(cluster: string, name: string, manifests: readonly KubeObject[], isReadOnly: boolean): ManifestWork {
  const isCrds = name === crdsWorkName(cluster)
  return {
    apiVersion: 'work.open-cluster-management.io/v1',
    kind: 'ManifestWork',
    metadata: {
      name,
      namespace: cluster,
      labels: { [labels.klusterletWorks]: 'true' },
      ...(isCrds && { annotations: { [annotations.cleanupPriority]: CRDS_CLEANUP_PRIORITY } }),
    },
    spec: {
      workload: { manifests: [...manifests] },
      deleteOption: { propagationPolicy: isCrds ? 'Foreground' : 'Orphan' },
      ...(isReadOnly && { manifestConfigs: readOnlyConfigs(manifests) }),
    },
  }
}

async function ensureWork(view: HubView, wanted: ManifestWork, isFrozen: boolean): Promise<number | undefined> {
  const { client } = view.access
  const ref = { name: wanted.metadata.name, ...(wanted.metadata.namespace && { namespace: wanted.metadata.namespace }) }
  const present = await client.get<ManifestWork>(foreign.manifestWorks, ref)
  if (!present) return (await client.create(foreign.manifestWorks, wanted)).metadata.generation
  if (present.metadata.deletionTimestamp) return undefined
  const spec = isFrozen
    ? { ...present.spec, manifestConfigs: readOnlyConfigs(present.spec.workload?.manifests ?? []) }
    : wanted.spec
  if (isDeepStrictEqual(plain(spec), plain(present.spec))) return present.metadata.generation
  return (await client.replace(foreign.manifestWorks, { ...present, spec })).metadata.generation
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
