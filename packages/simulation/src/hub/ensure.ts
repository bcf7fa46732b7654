/** Small idempotent writes that several foreign controllers share. */
import { isAlreadyExists, isNotFound, type KubeClient, type KubeObject, type Resource, refOf } from '@godwit/kube'

/** Creates the object unless one of its name exists; says whether it was made. */
export async function createIfAbsent<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
): Promise<boolean> {
  try {
    await client.create(resource, object)
    return true
  } catch (error) {
    if (isAlreadyExists(error)) return false
    throw error
  }
}

/** Adds finalizers that are missing. Resolves with the changed object, or undefined when nothing was missing. */
export async function addFinalizers<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  wanted: readonly string[],
): Promise<T | undefined> {
  const present = object.metadata.finalizers ?? []
  const missing = wanted.filter(finalizer => !present.includes(finalizer))
  return missing.length === 0 ? undefined : writeFinalizers(client, resource, object, [...present, ...missing])
}

/** Removes finalizers that `isUnwanted` names; an object that is already gone is fine. */
export async function removeFinalizers(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
  isUnwanted: (finalizer: string) => boolean,
): Promise<void> {
  const present = object.metadata.finalizers ?? []
  const kept = present.filter(finalizer => !isUnwanted(finalizer))
  if (kept.length === present.length) return
  try {
    await writeFinalizers(client, resource, object, kept)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function writeFinalizers<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  finalizers: readonly string[],
): Promise<T> {
  const { resourceVersion } = object.metadata
  const precondition = resourceVersion ? { precondition: { resourceVersion } } : {}
  return client.patch<T>(resource, refOf(object), { metadata: { finalizers } }, precondition)
}

/** Strips every finalizer and deletes. */
export async function forceDelete(client: KubeClient, resource: Resource, object: KubeObject): Promise<void> {
  await removeFinalizers(client, resource, object, () => true)
  await client.delete(resource, refOf(object))
}
