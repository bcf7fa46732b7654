import type { KubeClient, KubeObject, Ref, Resource } from '@godwit/kube'
import { annotation, annotations } from '../api/index.ts'

/** The object carries the mark of this migration: it made it, or claims it. */
export const isMarked = (object: KubeObject | undefined, migrationUid: string) =>
  annotation(object, annotations.migration) === migrationUid

/** Deletes exactly the object that was read, if Godwit made it; of a given migration only, when `migrationUid` is given. */
export async function deleteIfMarked(
  client: KubeClient,
  resource: Resource,
  ref: Ref,
  migrationUid?: string,
): Promise<void> {
  const live = await client.get<KubeObject>(resource, ref)
  const mark = annotation(live, annotations.migration)
  if (!live?.metadata.uid || mark === undefined || (migrationUid !== undefined && mark !== migrationUid)) return
  await client.delete(resource, ref, { precondition: { uid: live.metadata.uid } })
}
