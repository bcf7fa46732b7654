/** Which VMs of a set move, and how far each has come. */
import { rfc3339 } from '@godwit/ports'
import { type CocoonSet, type MoveRecord, NODE_DRAIN, type Node, type Pod, setAnnotations } from '../api/index.ts'
import type { MoveFacts } from '../migration/move-facts.ts'
import { isReleasing, recordAt, stepMove } from '../migration/step-move.ts'
import { hostOf, misfitOf } from '../pod/node-fit.ts'
import {
  isHibernateSet,
  isRestoring,
  isTerminal,
  requiredHosts,
  unschedulable,
  vmIdOf,
  vmNameOfPod,
} from '../pod/pod-view.ts'
import { isHeld, isTracked } from './hibernations.ts'
import type { Members } from './members.ts'
import type { PlanDraft } from './plan-draft.ts'
import type { SetFacts } from './set-facts.ts'

/** How often the registry is asked again for something that is bound to come, or to be put right. */
const PROBE_AGAIN_MS = 1000
const SLOT_OF_MAIN = 0

const annotationOn = (set: CocoonSet, key: string) => set.metadata.annotations?.[key]

/**
 * A pod that still waits for a node which is not asked for any more: there is no VM, and its affinity cannot change.
 * What it was to be restored from stays owed.
 */
export function planMisplaced(draft: PlanDraft, main: Pod | undefined): boolean {
  const { set, nowMs } = draft.facts
  const hosts = main && requiredHosts(main)
  if (!main || !hosts || main.spec.nodeName || draft.move(main.metadata.name)) return false
  if (hosts.length === 1 && hosts[0] === set.spec.nodeName) return false
  const vmName = vmNameOfPod(main)
  if (vmName && isRestoring(main) && !draft.debtOf(vmName))
    draft.setDebt(vmName, {
      vmName,
      podName: main.metadata.name,
      reason: 'wake',
      isProven: false,
      generation: set.metadata.generation ?? 0,
      since: rfc3339(nowMs),
      attempts: 0,
    })
  draft.effects.push({ kind: 'deletePod', pod: main, isKeepingSnapshot: true })
  return true
}

/** Steps every open record and opens new ones. Whoever is to follow is on record before those before them are off it. */
export function planMoves(draft: PlanDraft, members: Members): void {
  openForMain(draft, members.main)
  const stepped = draft.record.migrations ?? []
  for (const record of stepped) stepOne(draft, members, record)
  openForSubAgents(draft, members)
  const known = stepped.map(({ id }) => id)
  for (const record of draft.record.migrations ?? []) if (!known.includes(record.id)) stepOne(draft, members, record)
}

function nodeOf({ nodes }: SetFacts, host: string | undefined): Node | undefined {
  return host === undefined ? undefined : nodes.find(node => hostOf(node) === host)
}

const isDrained = (facts: SetFacts, host: string | undefined) =>
  nodeOf(facts, host)?.metadata.annotations?.[NODE_DRAIN] === 'true'

/** Hosts that could take the set's VM now, the emptiest first. */
export function hostsFor(facts: SetFacts, except: readonly string[]): string[] {
  const { set, nodes, podsOn } = facts
  return nodes
    .map(node => ({ node, host: hostOf(node) }))
    .filter(({ node, host }) => !except.includes(host) && node.metadata.annotations?.[NODE_DRAIN] !== 'true')
    .filter(({ node, host }) => misfitOf(set, host, node, podsOn(node.metadata.name)) === undefined)
    .map(({ node, host }) => ({ host, count: podsOn(node.metadata.name).length }))
    .sort((a, b) => a.count - b.count || (a.host < b.host ? -1 : 1))
    .map(({ host }) => host)
}

/** Where the spec, or a drained node, wants a VM of the set. */
function wantedHost(draft: PlanDraft, { source, target, slot }: Pick<MoveRecord, 'source' | 'target' | 'slot'>) {
  const { facts } = draft
  if (slot !== SLOT_OF_MAIN) return draft.facts.set.spec.nodeName || isDrained(facts, source) ? target : undefined
  if (facts.set.spec.nodeName) return facts.set.spec.nodeName
  return isDrained(facts, source) ? target : undefined
}

function openForMain(draft: PlanDraft, main: Pod | undefined): void {
  const { facts } = draft
  const { set } = facts
  const source = main?.spec.nodeName
  if (!main || !source || set.spec.suspend || draft.move(main.metadata.name)) return
  const target = set.spec.nodeName || drainTarget(facts, source)
  if (!target || target === source || !mayOpen(draft, main)) return
  draft.setMove(main.metadata.name, firstRecord(draft, main, { slot: SLOT_OF_MAIN, source, target }))
}

function drainTarget(facts: SetFacts, source: string): string | undefined {
  if (!isDrained(facts, source) || facts.leaving(source) >= facts.limits.maxDrainMoves) return undefined
  return hostsFor(facts, [source])[0]
}

/** A hibernation keeps its VM where it is; a failed or rolled back move is not tried again for the same spec. */
function mayOpen(draft: PlanDraft, pod: Pod): boolean {
  const { set, hibernations } = draft.facts
  const { name } = pod.metadata
  if (isTerminal(pod) || (isHibernateSet(pod) && isTracked(hibernations, name))) return false
  if (isHibernateSet(pod) && isHeld(hibernations, name)) return false
  const last = draft.record.lastMigrations?.find(({ podName }) => podName === name)
  return !(
    last &&
    last.outcome !== 'Completed' &&
    last.outcome !== 'Cancelled' &&
    last.generation === set.metadata.generation
  )
}

function openForSubAgents(draft: PlanDraft, { main, subAgents }: Members): void {
  const { set, limits } = draft.facts
  const host = main?.spec.nodeName
  if (!main || !host || set.spec.suspend || draft.move(main.metadata.name)) return
  const hasMoved = set.spec.nodeName === host || draft.record.lastMigrations?.some(({ target }) => target === host)
  if (!hasMoved) return
  const open = () => (draft.record.migrations ?? []).filter(({ slot }) => slot !== SLOT_OF_MAIN).length
  for (const [slot, pod] of subAgents) {
    const source = pod.spec.nodeName
    if (!source || source === host || open() >= limits.maxSubMoves) continue
    if (draft.move(pod.metadata.name) || !mayOpen(draft, pod)) continue
    draft.setMove(pod.metadata.name, firstRecord(draft, pod, { slot, source, target: host }))
  }
}

interface Route {
  readonly slot: number
  readonly source: string
  readonly target: string
}

function firstRecord({ facts }: PlanDraft, pod: Pod, { slot, source, target }: Route): MoveRecord {
  const { set, nowMs, limits } = facts
  const { uid = '', generation = 0 } = set.metadata
  const vmId = vmIdOf(pod)
  const record: MoveRecord = {
    podName: pod.metadata.name,
    id: `${uid.slice(0, 8)}-${slot}-${generation}-${nowMs.toString(36)}`,
    vmName: vmNameOfPod(pod) ?? '',
    slot,
    source,
    target,
    requested: target,
    stage: 'Prepare',
    direction: 'Forward',
    entered: false,
    since: rfc3339(nowMs),
    attempt: 1,
    generation,
    startedAt: new Date(nowMs).toISOString(),
    oldPodUid: pod.metadata.uid ?? '',
    ...(vmId !== undefined && { oldVmId: vmId }),
  }
  return recordAt(record, 'Prepare', 'Forward', { nowMs, deadlines: limits.deadlines })
}

function stepOne(draft: PlanDraft, members: Members, record: MoveRecord): void {
  const { facts } = draft
  const step = stepMove(moveFacts(draft, members, record), { nowMs: facts.nowMs, deadlines: facts.limits.deadlines })
  if (needsTag(draft, members, record, step.record)) return
  draft.setMove(record.podName, step.record)
  draft.effects.push(...step.effects)
  draft.events.push(...step.events)
  if (step.outcome) draft.setOutcome(step.outcome)
  if (step.debt) draft.setDebt(record.vmName, soaked(step.debt, facts))
  if (!step.record) return
  const problem = noCapacity(draft, step.record)
  if (problem !== undefined && step.record.waitsFor !== record.waitsFor) draft.warn('MigrateNoCapacity', problem)
  if (isReleasing(step.record) && step.record.waitsFor?.startsWith('snapshot ')) draft.lost = step.record.waitsFor
  if (step.record.deadline) draft.lookAgainIn(Date.parse(step.record.deadline) - facts.nowMs)
  if (step.effects.length === 0 && isWaitingForRegistry(facts, step.record)) draft.lookAgainIn(PROBE_AGAIN_MS)
}

/** The scheduler's words about the pod on its way. */
function noCapacity(draft: PlanDraft, { stage, podName }: MoveRecord): string | undefined {
  const pod = stage === 'Restore' ? draft.podNamed(podName) : undefined
  return pod && unschedulable(pod)
}

const soaked = <Debt extends object>(debt: Debt, { nowMs, limits }: SetFacts) =>
  limits.soakMs > 0 ? { ...debt, nextAttempt: new Date(nowMs + limits.soakMs).toISOString() } : debt

/** The registry has no watch: what only it can show has to be asked for again. */
function isWaitingForRegistry({ tags }: SetFacts, { vmName, stage }: MoveRecord): boolean {
  const tag = tags.get(vmName)
  return tag !== undefined && (tag.kind !== 'present' || stage === 'Quiesce')
}

/** The registry is asked only where its answer can change what comes next. */
function needsTag(draft: PlanDraft, members: Members, before: MoveRecord, after: MoveRecord | undefined): boolean {
  if (draft.facts.tags.has(before.vmName) || !after) return false
  const pod = members.all.find(({ metadata }) => metadata.name === before.podName)
  const isAsking =
    (after.stage === 'Prepare' && after.waitsFor === 'the registry to be asked') ||
    (after.stage === 'Quiesce' && after.direction === 'Forward' && after.waitsFor === 'the registry to be asked') ||
    (after.stage === 'Quiesce' && after.direction === 'Undo' && pod !== undefined && isHibernateSet(pod)) ||
    after.stage === 'Release' ||
    (after.stage === 'Restore' && (pod === undefined || isOverdue(before, draft.facts.nowMs)))
  if (isAsking) draft.tag(before.vmName)
  return isAsking
}

const isOverdue = ({ deadline }: MoveRecord, nowMs: number) => deadline !== undefined && Date.parse(deadline) <= nowMs

function moveFacts(draft: PlanDraft, { main }: Members, record: MoveRecord): MoveFacts {
  const { facts } = draft
  const { set, nodes, podsOn, tags, hibernations } = facts
  const { source, tried = [] } = record
  const wanted = record.slot === SLOT_OF_MAIN ? wantedHost(draft, record) : (main?.spec.nodeName ?? record.target)
  const target = wanted !== record.requested && wanted !== undefined ? wanted : record.target
  const node = nodes.find(candidate => hostOf(candidate) === target)
  const isEarly = record.stage === 'Prepare' || record.stage === 'Quiesce' || record.stage === 'Release'
  return {
    record,
    wanted,
    isSuspending: set.spec.suspend === true,
    pod: draft.podNamed(record.podName),
    tag: tags.get(record.vmName) ?? { kind: 'unasked' },
    misfit:
      isEarly && target !== undefined ? misfitOf(set, target, node, node ? podsOn(node.metadata.name) : []) : undefined,
    otherHosts: isOverdue(record, facts.nowMs) ? hostsFor(facts, [source, ...tried]) : [],
    image: set.spec.agent.image,
    isHeldByHibernation: isTracked(hibernations, record.podName) || isHeld(hibernations, record.podName),
    isLossAccepted: [record.id, 'true'].includes(annotationOn(set, setAnnotations.acceptLoss) ?? ''),
  }
}

export const isMoving = (record: MoveRecord | undefined) => record !== undefined && record.stage !== 'Prepare'
