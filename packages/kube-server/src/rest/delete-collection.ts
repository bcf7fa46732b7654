import { StatusError } from '../api/status-error.ts'
import type { View } from '../registry/resource.ts'
import type { Call, Core } from './call.ts'
import { type DeleteOptions, deleteObject } from './delete.ts'
import { listOptions } from './query.ts'
import { type Listed, listObjects } from './read.ts'

/** Deletes all that the selectors match, and returns the list of what was deleted. */
export async function deleteCollection(core: Core, call: Call, options: DeleteOptions): Promise<Listed> {
  const { views, metadata } = await listObjects(core, call, listOptions(call.query))
  const deleting = views.map(view => deleteOne(core, call, options, view))
  const deleted = (await Promise.all(deleting)).filter(view => view !== undefined)
  return { views: deleted, metadata: { resourceVersion: metadata['resourceVersion'] ?? '' } }
}

async function deleteOne(core: Core, call: Call, options: DeleteOptions, view: View): Promise<View | undefined> {
  const { name, namespace = '' } = view.object.metadata
  try {
    const one: Call = { ...call, name, namespace: call.resource.namespaced ? namespace : '' }
    return (await deleteObject(core, one, options)).view
  } catch (error) {
    // Somebody else was faster: that is what was wanted.
    if (error instanceof StatusError && error.code === 404) return undefined
    throw error
  }
}
