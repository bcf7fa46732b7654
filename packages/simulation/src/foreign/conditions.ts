/** Conditions as the Kubernetes API keeps them: one per type, `lastTransitionTime` moves only with the status. */
import { isNotFound, type KubeClient, type Resource } from '@godwit/kube'
import { rfc3339 } from '@godwit/ports'
import type { Condition, WithConditions } from './types.ts'

export type NewCondition = Omit<Condition, 'lastTransitionTime'>

export const findCondition = (object: WithConditions, type: string) =>
  object.status?.conditions?.find(condition => condition.type === type)

export const isTrue = (object: WithConditions, type: string) => findCondition(object, type)?.status === 'True'

/** The list with these conditions set, or undefined when it says so already. */
export function mergeConditions(
  present: readonly Condition[],
  wanted: readonly NewCondition[],
  nowMs: number,
): Condition[] | undefined {
  const merged = [...present]
  let hasChanged = false
  for (const next of wanted) {
    const at = merged.findIndex(condition => condition.type === next.type)
    const before = merged[at]
    if (before && isSame(before, next)) continue
    hasChanged = true
    const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : rfc3339(nowMs)
    const condition = { ...next, lastTransitionTime }
    if (before) merged[at] = condition
    else merged.push(condition)
  }
  return hasChanged ? merged : undefined
}

const isSame = (left: NewCondition, right: NewCondition) =>
  left.status === right.status &&
  left.reason === right.reason &&
  left.message === right.message &&
  left.observedGeneration === right.observedGeneration

export interface ConditionWrite {
  readonly client: KubeClient
  readonly resource: Resource
  readonly object: WithConditions
  readonly wanted: readonly NewCondition[]
  readonly nowMs: number
  /** Further fields of status to write along; they alone do not cause a write. */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** Writes conditions if they differ, refusing to overwrite what somebody else wrote meanwhile (409). */
export async function writeConditions(write: ConditionWrite): Promise<boolean> {
  const { client, resource, object, wanted, nowMs, fields } = write
  const conditions = mergeConditions(object.status?.conditions ?? [], wanted, nowMs)
  if (!conditions) return false
  const { name, namespace, resourceVersion } = object.metadata
  const patch = { status: { ...fields, conditions } }
  try {
    await client.patch(resource, { name, ...(namespace && { namespace }) }, patch, {
      subresource: 'status',
      ...(resourceVersion && { precondition: { resourceVersion } }),
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return true
}
