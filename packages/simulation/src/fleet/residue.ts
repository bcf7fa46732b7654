/** Finds everything temporary that a move may leave on any hub. */
import {
  defineResource,
  type KubeClient,
  type KubeObject,
  type ObjectMeta,
  type Resource,
  resources,
} from '@godwit/kube'
import { annotations, CLUSTER_MANAGER, ENGINE_NAMESPACE, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ClusterManager } from '../foreign/types.ts'
import type { Fleet } from './fleet.ts'

export interface Residue {
  /** Name of the hub, or `global-hub`. */
  readonly hub: string
  readonly kind: string
  /** With namespace, where there is one. */
  readonly name: string
  /** Why it should not be there. */
  readonly what: string
}

type Finder = (client: KubeClient) => Promise<readonly Omit<Residue, 'hub'>[]>

/** A predicate on metadata that says what is wrong with an object, or nothing. */
type Fault = (metadata: ObjectMeta) => string | undefined

const migrationTasks = defineResource('godwit.dev/v1alpha1', 'MigrationTask', 'migrationtasks', 'Namespaced')

const nameOf = ({ name, namespace }: ObjectMeta) => (namespace ? `${namespace}/${name}` : name)

/** All objects of a kind with which `faultOf` finds fault; a kind that is not served has none. */
const finder =
  (resource: Resource, faultOf: Fault, namespace?: string): Finder =>
  async client => {
    if (!(await client.serves(resource))) return []
    const { items } = await client.list<KubeObject>(resource, namespace ? { namespace } : {})
    return items.flatMap(({ metadata }) => {
      const what = faultOf(metadata)
      return what === undefined ? [] : [{ kind: resource.kind, name: nameOf(metadata), what }]
    })
  }

const named =
  (pattern: RegExp, what: string): Fault =>
  ({ name }) =>
    pattern.test(name) ? what : undefined
const labelled =
  (key: string, what: string): Fault =>
  ({ labels: own }) =>
    own?.[key] !== undefined ? what : undefined
const annotated =
  (key: string): Fault =>
  ({ annotations: own }) =>
    own?.[key] !== undefined ? `annotation ${key}` : undefined
const terminating: Fault = ({ deletionTimestamp }) => (deletionTimestamp ? 'being deleted' : undefined)
const always =
  (what: string): Fault =>
  () =>
    what
const anyOf =
  (...faults: readonly Fault[]): Fault =>
  metadata => {
    const found = faults.map(fault => fault(metadata)).filter(what => what !== undefined)
    return found.length > 0 ? found.join(', ') : undefined
  }

const isOfMigration: Fault = ({ labels: own }) =>
  Object.keys(own ?? {}).some(key => key.startsWith('godwit.dev/')) ? 'made for a migration' : undefined
const migrationRbac = named(/^global-hub-migration-/, 'permission of a migration')
const pointsToMigration: Fault = ({ annotations: own }) =>
  own?.[annotations.klusterletConfig]?.startsWith('migration-')
    ? `annotation ${annotations.klusterletConfig}`
    : undefined

const ON_GLOBAL_HUB: readonly Finder[] = [
  finder(foreign.managedServiceAccounts, always('credential of a migration')),
  finder(resources.secrets, anyOf(labelled(labels.isManagedServiceAccount, 'token of a migration'), isOfMigration)),
  finder(migrationTasks, always('work order of a migration')),
]

const ON_HUBS: readonly Finder[] = [
  finder(resources.secrets, named(/^bootstrap-/, 'bootstrap of a migration'), ENGINE_NAMESPACE),
  finder(resources.secrets, anyOf(isOfMigration, annotated('godwit.dev/migration'))),
  finder(foreign.klusterletConfigs, named(/^migration-/, 'configuration of a migration')),
  finder(resources.serviceAccounts, labelled(labels.isManagedServiceAccount, 'identity of a migration')),
  finder(resources.clusterRoles, migrationRbac),
  finder(resources.clusterRoleBindings, migrationRbac),
  finder(
    foreign.managedClusters,
    anyOf(
      annotated(annotations.migrating),
      annotated(annotations.disableAutoImport),
      annotated('godwit.dev/migration'),
      pointsToMigration,
      terminating,
    ),
  ),
  finder(resources.namespaces, anyOf(terminating, annotated('godwit.dev/migration'))),
  finder(foreign.clusterManagers, annotated('godwit.dev/auto-approval')),
  finder(foreign.clusterDeployments, annotated(annotations.hivePause)),
  finder(foreign.bareMetalHosts, annotated(annotations.metal3Pause)),
  finder(foreign.dataImages, annotated(annotations.metal3Pause)),
  finder(foreign.imageClusterInstalls, labelled(labels.veleroRestore, `label ${labels.veleroRestore}`)),
  autoApproveUsers,
]

async function autoApproveUsers(client: KubeClient): Promise<readonly Omit<Residue, 'hub'>[]> {
  const manager = await client.get<ClusterManager>(foreign.clusterManagers, { name: CLUSTER_MANAGER })
  const users = manager?.spec?.registrationConfiguration?.autoApproveUsers ?? []
  return users.map(user => ({ kind: 'ClusterManager', name: CLUSTER_MANAGER, what: `auto-approved user ${user}` }))
}

/** Everything temporary that is still there, on the global hub and on every hub of the fleet. */
export async function residue(fleet: Fleet): Promise<readonly Residue[]> {
  const found: Residue[] = []
  const search = async (hub: string, client: KubeClient, finders: readonly Finder[]) => {
    for (const find of finders) for (const each of await find(client)) found.push({ hub, ...each })
  }
  await search('global-hub', fleet.globalClient, ON_GLOBAL_HUB)
  for (const hub of fleet.hubNames) await search(hub, fleet.client(hub), ON_HUBS)
  return found
}
