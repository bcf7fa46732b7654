/** What the CocoonHibernations of a namespace mean for one pod. Pure. */
import type { CocoonHibernation } from '../api/index.ts'

const ofPod = (hibernations: readonly CocoonHibernation[], podName: string) =>
  hibernations.filter(({ spec }) => spec.podRef.name === podName)

/** One wants the VM hibernated, or is at it: nobody else wakes it. */
export const isHeld = (hibernations: readonly CocoonHibernation[], podName: string) =>
  ofPod(hibernations, podName).some(
    ({ spec, status }) => spec.desire === 'Hibernate' || status?.phase === 'Hibernating',
  )

/** One has not come to rest: it may still read or delete the snapshot. */
export const isTracked = (hibernations: readonly CocoonHibernation[], podName: string) =>
  ofPod(hibernations, podName).some(
    ({ status, metadata }) => status?.phase !== 'Active' || status.observedGeneration !== metadata.generation,
  )

/** A pod that is made anew has to come back with its state; what was saved of an earlier set of that name is not its. */
export const isRestoreOwed = (
  hibernations: readonly CocoonHibernation[],
  podName: string,
  setUid: string | undefined,
): boolean =>
  ofPod(hibernations, podName).some(
    ({ status }) =>
      (status?.phase === 'Hibernated' || status?.phase === 'Waking') && (status.setUid ?? setUid) === setUid,
  )
