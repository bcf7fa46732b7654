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
import type { SetPassOptions } from './set-pass.ts'

export interface HibernationPassOptions extends Omit<SetPassOptions, 'limits'> {
  readonly hibernationLimits: HibernationLimits
}

const MAX_ROUNDS = 8

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
    for (const effect of plan.effects) await perform(options, written, effect)
    if (plan.effects.length === 0) return plan.afterMs
  }
  return 0
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

async function perform(
  { client, registry, signal }: HibernationPassOptions,
  hibernation: CocoonHibernation,
  effect: HibernationEffect,
): Promise<void> {
  if (signal.aborted) throw new Error('leadership is lost: nothing is written any more')
  switch (effect.kind) {
    case 'addFinalizer':
    case 'removeFinalizer':
      await writeFinalizer(client, hibernation, effect.kind === 'addFinalizer')
      return
    case 'hibernate':
      await annotate(client, effect.pod, { [podAnnotations.hibernate]: 'true', [podAnnotations.claim]: effect.claim })
      return
    case 'wake':
      await annotate(client, effect.pod, { [podAnnotations.hibernate]: null, [podAnnotations.claim]: null })
      return
    case 'deleteSnapshot':
      await registry.deleteByDigest(effect.vmName, effect.digest, signal)
      return
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
