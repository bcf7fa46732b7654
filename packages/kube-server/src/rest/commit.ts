/** Runs a decision against the store, or only against its newest state when it is a dry run. */
import type { KubeObject } from '../api/object.ts'
import type { View } from '../registry/resource.ts'
import type { Mutation, Stored } from '../store/types.ts'
import { type Call, type Core, keyOf } from './call.ts'

export interface Outcome {
  readonly status: 200 | 201
  readonly view: View
}

/** What a write decided: the new state of an object, its last state, or that nothing changes. Storage form. */
export type Decision =
  | { readonly put: KubeObject; readonly isNew?: boolean }
  | { readonly remove: KubeObject }
  | { readonly unchanged: Stored }

/** Resolves with what the client sees. After a removal that is the final state, with the version it had before. */
export async function commit(
  core: Core,
  call: Call,
  options: { readonly name: string; readonly dryRun: boolean },
  decide: (current: Stored | undefined) => Decision,
): Promise<Outcome> {
  const { resource } = call
  const key = keyOf(resource, call.namespace, options.name)
  if (options.dryRun) return dryOutcome(call, decide(core.store.head(key)))
  let decided: Decision | undefined
  let before: KubeObject | undefined
  const writing = core.store.mutate(key, current => {
    before = current?.object
    decided = decide(current)
    return decided satisfies Mutation
  })
  // Synchronously after the decision: nobody has looked at the new state yet.
  const head = core.store.head(key)
  if (decided && 'put' in decided && head) resource.adopt?.(head)
  if (decided && !('unchanged' in decided))
    core.onChange?.({ user: call.user, collection: key.collection, before, after: core.store.head(key)?.object })
  const stored = await writing
  if (decided && 'remove' in decided) return { status: 200, view: viewOf(decided.remove) }
  if (!stored) throw new Error(`a write of ${key.collection} ${key.name} left nothing behind`)
  const isNew = decided !== undefined && 'put' in decided && decided.isNew === true
  return { status: isNew ? 201 : 200, view: resource.view(stored) }
}

/** The view of an object that is not in the store. */
export function viewOf(object: KubeObject): View {
  return { object, json: JSON.stringify(object) }
}

function dryOutcome({ resource }: Call, decided: Decision): Outcome {
  if ('unchanged' in decided) return { status: 200, view: resource.view(decided.unchanged) }
  if ('remove' in decided) return { status: 200, view: viewOf(decided.remove) }
  const { put: object, isNew = false } = decided
  if (object.metadata.resourceVersion !== '') return { status: isNew ? 201 : 200, view: viewOf(object) }
  const { resourceVersion: _none, ...metadata } = object.metadata
  return { status: isNew ? 201 : 200, view: viewOf({ ...object, metadata: metadata as KubeObject['metadata'] }) }
}
