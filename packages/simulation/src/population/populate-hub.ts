/** Fills a hub with managed clusters as they are long after their import. */
import { isAlreadyExists, isConflict, type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import { newLease } from '../hub/lease-controller.ts'
import {
  ADD_ONS,
  addOn,
  healthyStatus,
  klusterletAddonConfig,
  managedCluster,
  observabilityAddon,
} from './managed-cluster.ts'
import { inParallel } from './parallel.ts'
import { imageBasedObjects, type Placed, ztpObjects } from './ztp-objects.ts'

export interface HubPopulation {
  readonly client: KubeClient
  readonly clock: Clock
  readonly count: number
  /** Clusters are called `<namePrefix>-0001` and so on. Default `cluster`. */
  readonly namePrefix?: string
  /** First number. Default 1. */
  readonly firstNumber?: number
  /** Each k-th cluster was provisioned from the hub (Hive, Metal3); 0: none. Default 10. */
  readonly ztpEvery?: number
  /** Each k-th cluster was installed from an image, too; 0: none. Default 20. */
  readonly imageBasedEvery?: number
  /** Each k-th cluster is observed; 0: none. Default 5. */
  readonly observedEvery?: number
  readonly leaseDurationSeconds?: number
  readonly clusterSet?: string
  /** False on a hub without import controller. Default true. */
  readonly isImported?: boolean
}

const PARALLEL = 32

/** Name of the n-th cluster. */
export const clusterName = (prefix: string, number: number) => `${prefix}-${number.toString().padStart(4, '0')}`

/**
 * Creates the clusters with everything but what the hub's controllers add on their own (RBAC, works). Existing objects
 * are left alone. Resolves with the clusters' names.
 */
export async function populateHub(population: HubPopulation): Promise<readonly string[]> {
  const { count, namePrefix = 'cluster', firstNumber = 1 } = population
  const numbers = Array.from({ length: count }, (_, index) => firstNumber + index)
  await inParallel(numbers, PARALLEL, number => populateCluster(population, clusterName(namePrefix, number), number))
  return numbers.map(number => clusterName(namePrefix, number))
}

const isEvery = (every: number, number: number) => every > 0 && number % every === 0

async function populateCluster(population: HubPopulation, name: string, number: number): Promise<void> {
  const { client, clock, ztpEvery = 10, imageBasedEvery = 20, observedEvery = 5 } = population
  const { leaseDurationSeconds = 60, clusterSet = 'default', isImported = true } = population
  const cluster = managedCluster({ name, clusterSet, leaseDurationSeconds, isImported })
  // The cluster comes first: a namespace of that label without it is deleted by the hub.
  if (await put(client, foreign.managedClusters, cluster)) {
    const status = healthyStatus(name, clock.now())
    await writeStatus(client, foreign.managedClusters, { name }, status)
  }
  const metadata = { name, labels: { [labels.clusterName]: name } }
  await put(client, resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata })
  await put(client, resources.leases, newLease(name, clock.now()))
  await put(client, foreign.klusterletAddonConfigs, klusterletAddonConfig(name))
  for (const each of ADD_ONS) await put(client, foreign.managedClusterAddOns, addOn(name, each))
  if (isEvery(observedEvery, number)) await put(client, foreign.observabilityAddons, observabilityAddon(name))
  const isImageBased = isEvery(imageBasedEvery, number)
  const placed = isImageBased || isEvery(ztpEvery, number) ? ztpObjects(name) : []
  for (const each of [...placed, ...(isImageBased ? imageBasedObjects(name) : [])]) await place(client, each)
}

/** Creates an object with its status. */
export async function place(client: KubeClient, { resource, object }: Placed): Promise<void> {
  const { name, namespace } = object.metadata
  if (!(await put(client, resource, object)) || object.status === undefined) return
  await writeStatus(client, resource, { name, ...(namespace && { namespace }) }, object.status)
}

async function writeStatus(
  client: KubeClient,
  resource: Resource,
  ref: { readonly name: string; readonly namespace?: string },
  status: unknown,
): Promise<void> {
  await client.patch(resource, ref, { status }, { subresource: 'status' })
}

async function put(client: KubeClient, resource: Resource, object: KubeObject): Promise<boolean> {
  try {
    await client.create(resource, object)
    return true
  } catch (error) {
    if (isAlreadyExists(error) || isConflict(error)) return false
    throw error
  }
}
