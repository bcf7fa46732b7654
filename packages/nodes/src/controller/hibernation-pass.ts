/** One pass over one CocoonHibernation: observe, decide, persist, perform; again as long as something is done. */
import { mergeDiff } from '@godwit/engine'
import { refOf, resources } from '@godwit/kube'
import { type CocoonHibernation, cocoon, HIBERNATION_FINALIZER, type Pod, podAnnotations } from '../api/index.ts'
import {
  decideHibernation,
  type HibernationEffect,
  type HibernationFacts,
  type HibernationLimits,
  type HibernationPlan,
} from '../hibernation/decide-hibernation.ts'
import type { TagFact } from '../migration/move-facts.ts'
import { vmNameOfPod } from '../pod/pod-view.ts'
import { probe } from '../registry/probe.ts'
import { RegistryError } from '../registry/registry.ts'
import type { HistogramName } from './metrics-table.ts'
import type { SetPassOptions } from './set-pass.ts'
import { stillAs } from './witness.ts'

export interface HibernationPassOptions extends Omit<SetPassOptions, 'limits' | 'unwritten'> {
  readonly hibernationLimits: HibernationLimits
}

const MAX_ROUNDS = 8
/** A registry that refuses to delete is asked again after this; it is on record and in nobody's way. */
const REFUSED_MS = 60_000

/** @returns milliseconds until the next look; undefined: when something changes */
export async function passOverHibernation(
  options: HibernationPassOptions,
  namespace: string,
  name: string,
): Promise<number | undefined> {
  if (!options.world.hibernation(namespace, name)) return undefined
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const look = await lookLive(options, namespace, name)
    if (!look) return undefined
    const { facts, plan } = look
    const written = await persist(options, facts.hibernation, plan)
    for (const event of plan.events) options.events.record({ regarding: written, ...event })
    measure(options, facts.hibernation, plan)
    for (const effect of plan.effects) if (!(await perform(options, written, effect))) return REFUSED_MS
    if (plan.effects.length === 0) return plan.afterMs
  }
  return 0
}

/** How long the phase took that an Event ends. The phase's own clock is the transition of its condition. */
function measure({ metrics, clock }: HibernationPassOptions, before: CocoonHibernation, { events }: HibernationPlan) {
  const since = before.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  const isPhase = before.status?.phase === 'Hibernating' || before.status?.phase === 'Waking'
  const seconds = since !== undefined && isPhase ? Math.max(0, clock.now() - Date.parse(since)) / 1000 : 0
  for (const { reason } of events) {
    const ended = ENDS[reason]
    if (ended) metrics?.took(ended.name, ended.result, seconds)
  }
}

const ENDS: Readonly<Record<string, { readonly name: HistogramName; readonly result: 'ok' | 'timeout' }>> = {
  Hibernated: { name: 'hibernate_phase_duration_seconds', result: 'ok' },
  HibernateTimedOut: { name: 'hibernate_phase_duration_seconds', result: 'timeout' },
  WokenActive: { name: 'wake_phase_duration_seconds', result: 'ok' },
  WakeTimedOut: { name: 'wake_phase_duration_seconds', result: 'timeout' },
}

async function lookLive(options: HibernationPassOptions, namespace: string, name: string) {
  const { client, world, clock, hibernationLimits, registry, signal } = options
  const hibernation = await client.get<CocoonHibernation>(cocoon.hibernations, { namespace, name })
  if (!hibernation) return undefined
  const podName = hibernation.spec.podRef.name
  const pod = podName ? await client.get<Pod>(resources.pods, { namespace, name: podName }) : undefined
  const factsWith = (tag: TagFact): HibernationFacts => ({
    hibernation,
    pod,
    others: world.hibernations(namespace),
    tag,
    nowMs: clock.now(),
    limits: hibernationLimits,
  })
  const facts = factsWith({ kind: 'unasked' })
  const plan = decideHibernation(facts)
  if (!plan.needsTag) return { facts, plan }
  const vmName = (pod && vmNameOfPod(pod)) ?? hibernation.status?.vmName ?? ''
  const known = factsWith(await probe(registry, vmName, { isWhole: false, signal }))
  return { facts: known, plan: decideHibernation(known) }
}

async function persist(
  { client }: HibernationPassOptions,
  hibernation: CocoonHibernation,
  plan: HibernationPlan,
): Promise<CocoonHibernation> {
  const status = mergeDiff({ ...hibernation.status }, { ...plan.status })
  if (!status) return hibernation
  return client.patch<CocoonHibernation>(
    cocoon.hibernations,
    refOf(hibernation),
    { status },
    { subresource: 'status', precondition: { resourceVersion: hibernation.metadata.resourceVersion ?? '' } },
  )
}

/** @returns false when the registry refused */
async function perform(
  options: HibernationPassOptions,
  hibernation: CocoonHibernation,
  effect: HibernationEffect,
): Promise<boolean> {
  const { client, signal } = options
  if (signal.aborted) throw new Error('leadership is lost: nothing is written any more')
  switch (effect.kind) {
    case 'addFinalizer':
    case 'removeFinalizer':
      await writeFinalizer(client, hibernation, effect.kind === 'addFinalizer')
      return true
    case 'hibernate':
      await annotate(client, effect.pod, { [podAnnotations.hibernate]: 'true', [podAnnotations.claim]: effect.claim })
      return true
    case 'wake':
      await annotate(client, effect.pod, { [podAnnotations.hibernate]: null, [podAnnotations.claim]: null })
      return true
    case 'deleteSnapshot':
      return await deleteSnapshot(options, hibernation, effect)
  }
}

async function deleteSnapshot(
  { client, registry, signal, events }: HibernationPassOptions,
  hibernation: CocoonHibernation,
  { vmName, digest, witness }: Extract<HibernationEffect, { kind: 'deleteSnapshot' }>,
): Promise<boolean> {
  if (witness) await stillAs(client, witness)
  try {
    await registry.deleteByDigest(vmName, digest, signal)
    return true
  } catch (error) {
    if (!(error instanceof RegistryError) || error.failure === 'Unavailable') throw error
    const message = `snapshot of ${vmName} cannot be deleted: ${error.failure}: ${error.message}`
    events.record({ regarding: hibernation, type: 'Warning', reason: 'GarbageRetained', message })
    return false
  }
}

async function annotate(
  client: HibernationPassOptions['client'],
  pod: Pod,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const { uid = '', resourceVersion = '' } = pod.metadata
  const precondition = { uid, resourceVersion }
  await client.patch(resources.pods, refOf(pod), { metadata: { annotations } }, { precondition })
}

async function writeFinalizer(
  client: HibernationPassOptions['client'],
  hibernation: CocoonHibernation,
  isWanted: boolean,
): Promise<void> {
  const { finalizers = [], resourceVersion = '' } = hibernation.metadata
  const others = finalizers.filter(name => name !== HIBERNATION_FINALIZER)
  const patch = { metadata: { finalizers: isWanted ? [...others, HIBERNATION_FINALIZER] : others } }
  await client.patch(cocoon.hibernations, refOf(hibernation), patch, { precondition: { resourceVersion } })
}
