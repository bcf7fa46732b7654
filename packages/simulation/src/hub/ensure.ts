/** Small idempotent writes that several foreign controllers share. */
import { isAlreadyExists, isNotFound, type KubeClient, type KubeObject, type Resource } from '@godwit/kube'

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

const refOf = ({ metadata: { name, namespace } }: KubeObject) => ({ name, ...(namespace && { namespace }) })

/** Adds finalizers that are missing. Resolves with true when it had to: the change will be seen again. */
export async function addFinalizers(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
  wanted: readonly string[],
): Promise<boolean> {
  const present = object.metadata.finalizers ?? []
  const missing = wanted.filter(finalizer => !present.includes(finalizer))
  if (missing.length === 0) return false
  await writeFinalizers(client, resource, object, [...present, ...missing])
  return true
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

async function writeFinalizers(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
  finalizers: readonly string[],
): Promise<void> {
  const { resourceVersion } = object.metadata
  await client.patch(
    resource,
    refOf(object),
    { metadata: { finalizers } },
    resourceVersion ? { precondition: { resourceVersion } } : {},
  )
}

/** Strips every finalizer and deletes. */
export async function forceDelete(client: KubeClient, resource: Resource, object: KubeObject): Promise<void> {
  await removeFinalizers(client, resource, object, () => true)
  await client.delete(resource, refOf(object))
}
