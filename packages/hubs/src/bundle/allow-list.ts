/** Which objects may travel, and under which names: kind, namespace and name are bound to the item (H-51). */
import { Terminal } from '@godwit/core'
import { type Resource, resources } from '@godwit/kube'
import { ocm, provisioning, type UnknownObject } from '../api/index.ts'

type Naming = 'cluster' | 'any'

interface Allowed {
  readonly resource: Resource
  /** `cluster`: the object must be called like the cluster. */
  readonly naming: Naming
  /** Its status travels too, written to the status subresource. */
  readonly withStatus: boolean
}

/** In the order in which they are applied. */
export const ALLOWED: readonly Allowed[] = [
  { resource: resources.secrets, naming: 'any', withStatus: false },
  { resource: resources.configMaps, naming: 'any', withStatus: false },
  { resource: ocm.managedClusters, naming: 'cluster', withStatus: false },
  { resource: ocm.klusterletAddonConfigs, naming: 'cluster', withStatus: false },
  { resource: provisioning.bareMetalHosts, naming: 'any', withStatus: true },
  { resource: provisioning.hostFirmwareSettings, naming: 'any', withStatus: true },
  { resource: provisioning.firmwareSchemas, naming: 'any', withStatus: true },
  { resource: provisioning.hostFirmwareComponents, naming: 'any', withStatus: true },
  { resource: provisioning.imageClusterInstalls, naming: 'cluster', withStatus: true },
  { resource: provisioning.clusterDeployments, naming: 'cluster', withStatus: true },
]

const apiVersionOf = ({ group, version }: Resource) => (group ? `${group}/${version}` : version)

/** The rule for an object of a bundle; throws `Terminal('BundleRefused')` when it is not the item's own. */
export function allowedFor(cluster: string, object: UnknownObject): Allowed {
  const allowed = ALLOWED.find(
    ({ resource }) => resource.kind === object.kind && apiVersionOf(resource) === object.apiVersion,
  )
  const name = object.metadata?.name
  const refuse = (why: string) =>
    new Terminal('BundleRefused', `${object.kind ?? 'object'} ${name ?? ''} in the bundle of ${cluster}: ${why}`)
  if (!allowed) throw refuse('this kind may not be migrated')
  if (!name) throw refuse('it has no name')
  const namespace = object.metadata?.namespace
  if (allowed.resource.namespaced ? namespace !== cluster : namespace !== undefined)
    throw refuse(`namespace ${namespace ?? 'none'} is not the cluster's own`)
  if (allowed.naming === 'cluster' && name !== cluster) throw refuse('it must be called like the cluster')
  return allowed
}
