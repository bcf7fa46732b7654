/** Ownership of resources on the managed cluster by the works of several hubs, and their eviction. */
import type { AppliedWork } from './state.ts'

/** Resources whose deletion takes the klusterlet with it: the operator loses its own definitions. */
export const ESSENTIAL_RESOURCES: readonly string[] = [
  'customresourcedefinitions/klusterlets.operator.open-cluster-management.io',
]

const isSame = (work: AppliedWork, server: string, name: string) => work.server === server && work.work === name

/** Records what a work owns now; an eviction under way is called off. */
export function applyWork(works: readonly AppliedWork[], applied: AppliedWork): readonly AppliedWork[] {
  return [...works.filter(work => !isSame(work, applied.server, applied.work)), applied]
}

/** The agent is now connected to `server`: works of other hubs get a date of eviction, those of this one lose it. */
export function connectWorks(works: readonly AppliedWork[], server: string, evictAtMs: number): readonly AppliedWork[] {
  return works.map(({ evictAtMs: planned, ...work }) =>
    work.server === server ? work : { ...work, evictAtMs: planned ?? evictAtMs },
  )
}

/** A work vanished from the hub without the agent's help: its eviction is planned. */
export function missWork(
  works: readonly AppliedWork[],
  server: string,
  name: string,
  evictAtMs: number,
): readonly AppliedWork[] {
  return works.map(work => (isSame(work, server, name) ? { ...work, evictAtMs: work.evictAtMs ?? evictAtMs } : work))
}

export interface Released {
  readonly works: readonly AppliedWork[]
  /** Resources that no work owns any more and that are therefore deleted. */
  readonly deleted: readonly string[]
}

/** Takes away the ownership of the works that `isGone` names. */
export function releaseWorks(works: readonly AppliedWork[], isGone: (work: AppliedWork) => boolean): Released {
  const kept = works.filter(work => !isGone(work))
  const owned = new Set(kept.flatMap(work => work.owns))
  const released = new Set(works.filter(isGone).flatMap(work => work.owns))
  return { works: kept, deleted: [...released].filter(resource => !owned.has(resource)) }
}

export const releaseWork = (works: readonly AppliedWork[], server: string, name: string) =>
  releaseWorks(works, work => isSame(work, server, name))

export const evictDue = (works: readonly AppliedWork[], nowMs: number) =>
  releaseWorks(works, work => work.evictAtMs !== undefined && work.evictAtMs <= nowMs)

/** Epoch milliseconds of the next eviction. */
export function nextEviction(works: readonly AppliedWork[]): number | undefined {
  let next: number | undefined
  for (const { evictAtMs } of works)
    if (evictAtMs !== undefined && (next === undefined || evictAtMs < next)) next = evictAtMs
  return next
}

export const removesKlusterlet = (deleted: readonly string[]) =>
  deleted.some(resource => ESSENTIAL_RESOURCES.includes(resource))
