/** Puts the objects of one item onto the target hub, and takes back those it put there. */
import { Retryable, Terminal } from '@godwit/core'
import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type Resource,
  resources,
} from '@godwit/kube'
import { isMarked } from '../agent/marks.ts'
import { annotation, annotations } from '../api/index.ts'
import { ALLOWED, allowedFor } from './allow-list.ts'

type Open = KubeObject & { readonly status?: unknown; readonly [member: string]: unknown }

export interface ItemTarget {
  readonly client: KubeClient
  readonly cluster: string
  readonly migrationUid: string
}

function marked<T extends KubeObject>(object: T, migrationUid: string): T {
  const mark = { ...object.metadata.annotations, [annotations.migration]: migrationUid }
  return { ...object, metadata: { ...object.metadata, annotations: mark } }
}

/** Refuses the whole item before anything is written when one object is not the item's own. */
export async function applyItem(target: ItemTarget, objects: readonly KubeObject[]): Promise<void> {
  const plan = objects.map(object => ({ object: object as Open, allowed: allowedFor(target.cluster, { ...object }) }))
  await ensureNamespace(target)
  // The cluster comes first: while it is not ours, nothing else may be written into its namespace.
  const isCluster = (resource: Resource) => resource.kind === 'ManagedCluster'
  const ordered = [
    ...plan.filter(p => isCluster(p.allowed.resource)),
    ...plan.filter(p => !isCluster(p.allowed.resource)),
  ]
  for (const { object, allowed } of ordered) {
    const { status, ...body } = object
    const stored = await put(target, allowed.resource, marked(body as KubeObject, target.migrationUid))
    if (allowed.withStatus && status !== undefined) await putStatus(target, allowed.resource, stored, status)
  }
}

async function ensureNamespace(target: ItemTarget): Promise<void> {
  const namespace = marked(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: target.cluster } },
    target.migrationUid,
  )
  try {
    await target.client.create(resources.namespaces, namespace)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

/** Creates the object, or brings one that this migration made before into the wanted state. */
async function put(target: ItemTarget, resource: Resource, object: KubeObject): Promise<KubeObject> {
  const { client, migrationUid, cluster } = target
  try {
    return await client.create(resource, object)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
  const ref = { name: object.metadata.name, ...(resource.namespaced && { namespace: cluster }) }
  const live = await client.get<KubeObject>(resource, ref)
  if (!live) return await client.create(resource, object)
  if (resource.kind === 'ManagedCluster' && annotation(live, annotations.migration) === undefined)
    throw new Retryable(`managed cluster ${cluster} appeared on the target hub in this moment`)
  if (!isMarked(live, migrationUid))
    throw new Terminal(
      'ClusterConflict',
      `${object.kind} ${object.metadata.name} of cluster ${cluster} exists on the target hub and was not made by this migration: remove one`,
    )
  if (isCovered(object, live)) return live
  return await client.replace(resource, {
    ...object,
    metadata: {
      ...object.metadata,
      resourceVersion: live.metadata.resourceVersion ?? '',
      uid: live.metadata.uid ?? '',
    },
  })
}

/** Everything wanted is there already: no write, so that a repeated delivery changes nothing (H-46). */
function isCovered(wanted: unknown, live: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object') return wanted === live
  if (live === null || typeof live !== 'object') return false
  if (Array.isArray(wanted) && wanted.length !== (live as readonly unknown[]).length) return false
  return Object.entries(wanted).every(([key, value]) => isCovered(value, (live as Record<string, unknown>)[key]))
}

async function putStatus(target: ItemTarget, resource: Resource, stored: KubeObject, status: unknown): Promise<void> {
  const ref = { name: stored.metadata.name, namespace: target.cluster }
  try {
    await target.client.patch(resource, ref, { status }, { subresource: 'status' })
  } catch (error) {
    // A kind without the status subresource has taken its status with the object, or does not want one.
    if (!isNotFound(error)) throw error
  }
}

/** Reads all objects of the cluster that carry this migration's mark, in reverse order of application. */
async function markedObjects({ client, cluster, migrationUid }: ItemTarget) {
  const found: { readonly resource: Resource; readonly object: KubeObject }[] = []
  for (const { resource } of ALLOWED.toReversed()) {
    if (!resource.namespaced || (resource.group && !(await client.serves(resource)))) continue
    const { items } = await client.list<KubeObject>(resource, { namespace: cluster })
    for (const object of items) if (isMarked(object, migrationUid)) found.push({ resource, object })
  }
  return found
}

/** Deletes what this migration made for the cluster, and only that; nothing is deprovisioned. */
export async function withdrawItem(target: ItemTarget): Promise<void> {
  const { client, cluster, migrationUid } = target
  for (const { resource, object } of await markedObjects(target))
    await deleteWithoutDeprovisioning(client, resource, object)
  const managedCluster = await client.get<KubeObject>(managedClusters, { name: cluster })
  const isForeign = managedCluster !== undefined && !isMarked(managedCluster, migrationUid)
  if (managedCluster && !isForeign) await deleteExactly(client, managedClusters, managedCluster)
  const namespace = await client.get<KubeObject>(resources.namespaces, { name: cluster })
  if (!namespace || !isMarked(namespace, migrationUid)) return
  // Somebody else's cluster of that name lives in it by now: the namespace stays, only our mark goes.
  if (isForeign) await client.patch(resources.namespaces, { name: cluster }, unmarked)
  else await deleteExactly(client, resources.namespaces, namespace)
}

const unmarked = {
  metadata: { annotations: { [annotations.migration]: null, [annotations.keepDisableAutoImport]: null } },
}

const managedClusters = ALLOWED.find(({ resource }) => resource.kind === 'ManagedCluster')?.resource as Resource

/** What `applyItem` wrote, in one short text for the record: `Kind/name` by commas. */
export const namesOf = (objects: readonly KubeObject[]) =>
  objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).join(',')

/** What a cache shows of a cluster, perhaps late. */
export interface SeenCluster {
  readonly cluster?: KubeObject | undefined
  readonly namespace?: KubeObject | undefined
}

/**
 * Takes the marks of a finished migration off; the ManagedCluster last, because it says that there are any. Resolves
 * with the ManagedCluster as it was written, undefined when there was no mark on it.
 */
export async function unmarkItem(
  target: ItemTarget,
  names: string,
  seen: SeenCluster = {},
): Promise<KubeObject | undefined> {
  const { client, cluster } = target
  for (const { resource, name } of parseNames(names)) {
    if (resource.kind === 'ManagedCluster') continue
    await ignoreMissing(client.patch(resource, { name, namespace: cluster }, unmarked))
  }
  await unmarkOne(target, resources.namespaces, seen.namespace)
  return unmarkOne(target, managedClusters, seen.cluster)
}

/** Exactly the state that carries our mark loses it: the one that was seen, or else the one that is read. */
async function unmarkOne(
  { client, cluster, migrationUid }: ItemTarget,
  resource: Resource,
  seen: KubeObject | undefined,
): Promise<KubeObject | undefined> {
  const unmark = ({ metadata: { resourceVersion = '' } }: KubeObject) =>
    client.patch<KubeObject>(resource, { name: cluster }, unmarked, { precondition: { resourceVersion } })
  try {
    if (seen && isMarked(seen, migrationUid)) return await unmark(seen)
  } catch (error) {
    if (!isConflict(error)) throw error
  }
  const live = await client.get<KubeObject>(resource, { name: cluster })
  return live && isMarked(live, migrationUid) ? unmark(live) : undefined
}

function parseNames(names: string): readonly { readonly resource: Resource; readonly name: string }[] {
  return names.split(',').flatMap(text => {
    const [kind = '', name = ''] = text.split('/')
    const resource = ALLOWED.find(allowed => allowed.resource.kind === kind)?.resource
    return resource && name ? [{ resource, name }] : []
  })
}

/** Somebody deleted the object since: nothing is left to take a mark off. */
async function ignoreMissing(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Finalizers by which Hive or Metal3 would tear the machines down. */
const DEPROVISIONING = [/\/deprovision$/, /\.metal3\.io$/]
const PAUSE: Readonly<Record<string, string>> = {
  ClusterDeployment: annotations.hivePause,
  BareMetalHost: annotations.metal3Pause,
  DataImage: annotations.metal3Pause,
}

/** Pauses the object's controller, strips the finalizers that would deprovision, then deletes exactly this object. */
export async function deleteWithoutDeprovisioning(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
): Promise<void> {
  const pause = PAUSE[object.kind]
  const { name, namespace, finalizers = [], uid } = object.metadata
  const ref = { name, ...(namespace && { namespace }) }
  if (pause !== undefined) {
    const kept = finalizers.filter(finalizer => !DEPROVISIONING.some(pattern => pattern.test(finalizer)))
    const patch = {
      metadata: { annotations: { [pause]: 'true' }, ...(kept.length !== finalizers.length && { finalizers: kept }) },
    }
    await client.patch(resource, ref, patch, { ...(uid && { precondition: { uid } }) })
  }
  await deleteExactly(client, resource, object)
}

const deleteExactly = (client: KubeClient, resource: Resource, { metadata }: KubeObject) =>
  client.delete(
    resource,
    { name: metadata.name, ...(metadata.namespace && { namespace: metadata.namespace }) },
    { ...(metadata.uid && { precondition: { uid: metadata.uid } }) },
  )
