/** Performs the effects of a set. Each can be repeated; a write is refused when the object is not the one decided on. */
import { isAlreadyExists, isConflict, type KubeClient, refOf, resources } from '@godwit/kube'
import type { Clock, Logger } from '@godwit/ports'
import {
  agentPodName,
  type CocoonSet,
  cocoon,
  type MoveRecord,
  type Pod,
  podAnnotations,
  SET_FINALIZER,
  type SnapshotDebt,
} from '../api/index.ts'
import { buildAgentPod, withForkFrom } from '../pod/build-pod.ts'
import { vmNameOfPod } from '../pod/pod-view.ts'
import { RegistryError, type SnapshotRegistry } from '../registry/registry.ts'
import { isOwnedBy } from '../set/members.ts'
import { postponed } from '../set/plan-debts.ts'
import type { SetEffect } from '../set/set-facts.ts'
import { stillAs } from './witness.ts'

export interface PerformContext {
  readonly client: KubeClient
  readonly registry: SnapshotRegistry
  readonly clock: Clock
  readonly logger: Logger
  /** Aborts when leadership is lost: nothing is written after that. */
  readonly signal: AbortSignal
}

/** What an effect showed that must go into the record. */
export type Receipt =
  | { readonly kind: 'keptLeftover'; readonly podName: string }
  | { readonly kind: 'debt'; readonly vmName: string; readonly debt: SnapshotDebt | undefined }
  | { readonly kind: 'nameTaken'; readonly podName: string }
  /** As the server has it after the change. */
  | { readonly kind: 'changed'; readonly pod: Pod }

export async function performEffect(
  context: PerformContext,
  set: CocoonSet,
  pods: readonly Pod[],
  effect: SetEffect,
): Promise<Receipt | undefined> {
  if (context.signal.aborted) throw new Error('leadership is lost: nothing is written any more')
  switch (effect.kind) {
    case 'addFinalizer':
    case 'removeFinalizer':
      return writeFinalizer(context, set, effect.kind === 'addFinalizer')
    case 'stamp':
      return annotate(context, effect.pod, { [podAnnotations.generation]: String(set.metadata.generation ?? 0) }, false)
    case 'parkPod':
      return annotate(context, effect.pod, { [podAnnotations.deadLetter]: String(set.metadata.generation ?? 0) }, false)
    case 'quiesce':
      return annotate(context, effect.pod, {
        [podAnnotations.hibernate]: 'true',
        [podAnnotations.claim]: effect.claim,
      })
    case 'wake':
      return annotate(context, effect.pod, {
        [podAnnotations.hibernate]: null,
        [podAnnotations.claim]: effect.claim.startsWith('migration/') ? effect.claim : null,
      })
    case 'releaseClaim':
      return annotate(context, effect.pod, { [podAnnotations.claim]: null })
    case 'deletePod':
      return deletePod(context, effect.pod, effect.isKeepingSnapshot)
    case 'createPod':
      return createPod(context, set, effect.pod)
    case 'createRestored':
      return createPod(context, set, restoredPod(set, pods, effect))
    case 'dropLeftover':
      return dropLeftover(context, set, effect)
    case 'payDebt':
      return payDebt(context, effect)
    case 'deleteTag':
      return deleteTag(context, effect)
  }
}

async function writeFinalizer({ client }: PerformContext, set: CocoonSet, isWanted: boolean): Promise<undefined> {
  const { finalizers = [], resourceVersion = '' } = set.metadata
  const others = finalizers.filter(name => name !== SET_FINALIZER)
  const patch = { metadata: { finalizers: isWanted ? [...others, SET_FINALIZER] : others } }
  await client.patch(cocoon.sets, refOf(set), patch, { precondition: { resourceVersion } })
}

async function annotate(
  { client }: PerformContext,
  pod: Pod,
  annotations: Readonly<Record<string, string | null>>,
  isExact = true,
): Promise<Receipt> {
  const { uid = '', resourceVersion = '' } = pod.metadata
  const precondition = isExact ? { uid, resourceVersion } : { uid }
  const patch = { metadata: { annotations } }
  return { kind: 'changed', pod: await client.patch<Pod>(resources.pods, refOf(pod), patch, { precondition }) }
}

/** INV-3: exactly the pod that was decided on, in exactly the state that was seen. */
async function deletePod({ client, logger }: PerformContext, pod: Pod, isKeepingSnapshot: boolean): Promise<undefined> {
  const flagged = isKeepingSnapshot ? await keepSnapshot(client, pod, logger) : pod
  const { uid = '', resourceVersion = '' } = flagged.metadata
  await client.delete(resources.pods, refOf(pod), { precondition: { uid, resourceVersion } })
}

/** A courtesy: the target may fetch the state from the source's own disk. Without it the registry has it all the same. */
async function keepSnapshot(client: KubeClient, pod: Pod, logger: Logger): Promise<Pod> {
  const { uid = '', resourceVersion = '' } = pod.metadata
  const patch = { metadata: { annotations: { [podAnnotations.keepSnapshotOnDelete]: 'true' } } }
  try {
    return await client.patch<Pod>(resources.pods, refOf(pod), patch, { precondition: { uid, resourceVersion } })
  } catch (error) {
    // The deletion would be refused as well: what it is decided on has changed.
    if (isConflict(error)) throw error
    logger.debug({ pod: pod.metadata.name, error: String(error) }, 'the pod could not be flagged, it is deleted anyway')
    return pod
  }
}

async function createPod({ client }: PerformContext, set: CocoonSet, pod: Pod): Promise<Receipt | undefined> {
  try {
    await client.create(resources.pods, pod)
    return undefined
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
  const there = await client.get<Pod>(resources.pods, refOf(pod))
  return there && !isOwnedBy(set, there) ? { kind: 'nameTaken', podName: pod.metadata.name } : undefined
}

function restoredPod(
  set: CocoonSet,
  pods: readonly Pod[],
  { slot, host, vmName, claim }: Extract<SetEffect, { kind: 'createRestored' }>,
): Pod {
  const pod = buildAgentPod(set, slot, { isRestore: true, host, vmName, claim })
  const main = pods.find(({ metadata }) => metadata.name === agentPodName(set.metadata.name, 0))
  const mainVmName = main && vmNameOfPod(main)
  return slot > 0 && mainVmName ? withForkFrom(pod, mainVmName) : pod
}

/** Not being allowed to delete must not hold up the move: the old digest goes on record and counts for nothing. */
async function dropLeftover(
  { client, registry, signal }: PerformContext,
  set: CocoonSet,
  { vmName, digest, witness }: Extract<SetEffect, { kind: 'dropLeftover' }>,
): Promise<Receipt | undefined> {
  await stillAs(client, witness)
  try {
    await registry.deleteByDigest(vmName, digest, signal)
    return undefined
  } catch (error) {
    if (!(error instanceof RegistryError) || error.failure === 'Unavailable') throw error
    const record = set.status?.migrations?.find((each: MoveRecord) => each.vmName === vmName)
    return record && { kind: 'keptLeftover', podName: record.podName }
  }
}

async function payDebt(
  { client, registry, signal, clock }: PerformContext,
  { debt, digest, witness }: Extract<SetEffect, { kind: 'payDebt' }>,
): Promise<Receipt> {
  if (witness) await stillAs(client, witness)
  try {
    await registry.deleteByDigest(debt.vmName, digest, signal)
    return { kind: 'debt', vmName: debt.vmName, debt: undefined }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const failure = { code: error.failure, message: error.message }
    return { kind: 'debt', vmName: debt.vmName, debt: postponed(debt, failure, clock.now()) }
  }
}

async function deleteTag(
  { registry, signal, logger }: PerformContext,
  { vmName, tag, isNeeded }: Extract<SetEffect, { kind: 'deleteTag' }>,
): Promise<undefined> {
  try {
    const there = await registry.head(vmName, tag, signal)
    if (there) await registry.deleteByDigest(vmName, there.digest, signal)
  } catch (error) {
    if (isNeeded || !(error instanceof RegistryError)) throw error
    logger.warn({ vmName, tag, error: String(error) }, 'a snapshot could not be deleted and is left behind')
  }
}
