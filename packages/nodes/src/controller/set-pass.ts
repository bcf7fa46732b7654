/** One pass over one CocoonSet: observe, decide, persist, perform; again as long as something is done. */
import { Retryable } from '@godwit/core'
import { mergeDiff } from '@godwit/engine'
import { type EventRecorder, isConflict, type KubeClient, keyOf, refOf, resources } from '@godwit/kube'
import type { Clock, Logger } from '@godwit/ports'
import { type CocoonSet, type CocoonSetStatus, cocoon, labels, type Pod, setAnnotations } from '../api/index.ts'
import type { TagFact } from '../migration/move-facts.ts'
import { probe } from '../registry/probe.ts'
import { RegistryError, type SnapshotRegistry } from '../registry/registry.ts'
import { decideSet } from '../set/decide-set.ts'
import { isOwnedBy, podNamesOf } from '../set/members.ts'
import type { SetEffect, SetFacts, SetLimits, SetPlan } from '../set/set-facts.ts'
import { isUrgentChange } from '../set/status-urgency.ts'
import { countsOfPlan } from './counts-of-plan.ts'
import type { OperatorMetrics } from './operator-metrics.ts'
import { performEffect, type Receipt } from './perform.ts'
import type { NodesWorld } from './world.ts'

export interface SetPassOptions {
  readonly world: NodesWorld
  readonly client: KubeClient
  readonly registry: SnapshotRegistry
  readonly clock: Clock
  readonly logger: Logger
  readonly events: Pick<EventRecorder, 'record'>
  readonly limits: SetLimits
  readonly metrics?: OperatorMetrics
  readonly signal: AbortSignal
  /** Default: `decideSet`. */
  readonly decide?: (facts: SetFacts) => SetPlan
  /** Since when words and counts of a set's status wait to be written, by key. A new process writes them sooner. */
  readonly unwritten: Map<string, number>
}

/** Looks in a row before others get their turn. */
const MAX_ROUNDS = 12
/** Writes to pods of one set that are under way at a time. */
const MAX_TOGETHER = 8
/** Pods of one set that are read one by one. */
const MAX_BY_NAME = 3
/** Conflicts in one pass; after that the queue's growing delay takes over. */
const MAX_CONFLICTS = 3
const NAME_TAKEN_MS = 5000
/** What only tells people how far something has come is written at most so much later. */
const MAX_UNWRITTEN_MS = 200

/** @returns milliseconds until the next look; undefined: when something changes */
export async function passOverSet(
  options: SetPassOptions,
  namespace: string,
  name: string,
): Promise<number | undefined> {
  const cached = options.world.set(namespace, name)
  if (!cached) return undefined
  const { decide = decideSet } = options
  const glance = decide(factsOf(options, cached, options.world.podsOfSet(keyOf({ namespace, name })), new Map()))
  if (isIdle(glance, cached)) return glance.afterMs
  let conflicts = 0
  let told: Live | undefined
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const look = await lookAt(options, told ?? (await readLive(options, namespace, name)))
    if (!look) {
      options.unwritten.delete(keyOf({ namespace, name }))
      return undefined
    }
    const restMs = unwrittenFor(options, look.facts.set, look.plan)
    if (restMs !== undefined) return Math.min(restMs, look.plan.afterMs ?? restMs)
    const { outcome, after } = await actOn(options, look.facts, look.plan)
    told = after
    if (outcome === 'conflict' && ++conflicts > MAX_CONFLICTS)
      throw new Retryable('others keep writing the same objects')
    if (outcome === 'nameTaken') return NAME_TAKEN_MS
    if (outcome === 'idle') return look.plan.afterMs
  }
  return 0
}

/** @returns how much longer the only change there is may wait to be written; undefined: it is written now */
function unwrittenFor({ clock, unwritten }: SetPassOptions, set: CocoonSet, plan: SetPlan): number | undefined {
  const key = keyOf(set.metadata)
  const isQuiet = plan.effects.length + plan.events.length + Object.keys(plan.annotations).length === 0
  const isMinor = isQuiet && statusPatch(set, plan.status) && !isUrgentChange(set.status ?? {}, plan.status)
  const sinceMs = unwritten.get(key) ?? clock.now()
  const restMs = sinceMs + MAX_UNWRITTEN_MS - clock.now()
  if (isMinor && restMs > 0) unwritten.set(key, sinceMs)
  else unwritten.delete(key)
  return isMinor && restMs > 0 ? restMs : undefined
}

interface Acted {
  readonly outcome: 'idle' | 'acted' | 'nameTaken' | 'conflict'
  /** What the server answered to the writes is as good as another look; whatever others wrote since is a conflict. */
  readonly after?: Live
}

/** As the server has it. */
interface Live {
  readonly set: CocoonSet | undefined
  readonly pods: readonly Pod[]
}

/** A conflict is no failure: somebody wrote in between, so the next look comes at once. */
async function actOn(options: SetPassOptions, facts: SetFacts, plan: SetPlan): Promise<Acted> {
  try {
    const set = await persist(options, facts.set, plan)
    announce(options, facts, set, plan)
    if (plan.effects.length === 0) return { outcome: 'idle' }
    const { receipts, pods } = await performAll(options, set, facts.pods, plan)
    if (receipts.some(({ kind }) => kind === 'nameTaken')) return { outcome: 'nameTaken' }
    return { outcome: 'acted', ...(pods && { after: { set, pods } }) }
  } catch (error) {
    if (isConflict(error)) return { outcome: 'conflict' }
    if (error instanceof RegistryError && facts.set.metadata.deletionTimestamp) tellBlocked(options, facts.set, error)
    throw error
  }
}

/** A set that does not go away says why, and what its owner can do. */
function tellBlocked({ events }: SetPassOptions, set: CocoonSet, { failure, message }: RegistryError): void {
  events.record({
    regarding: set,
    type: 'Warning',
    reason: 'DeletionBlocked',
    message: `a snapshot cannot be deleted: ${failure}: ${message}; annotation ${setAnnotations.forceDelete}=true leaves it behind`,
  })
}

function factsOf(
  { world, clock, limits }: SetPassOptions,
  set: CocoonSet,
  pods: readonly Pod[],
  tags: ReadonlyMap<string, TagFact>,
): SetFacts {
  return {
    set,
    pods: pods.filter(pod => isOwnedBy(set, pod)),
    hibernations: world.hibernations(set.metadata.namespace ?? ''),
    nodes: world.nodes(),
    podsOn: world.podsOn,
    tags,
    nowMs: clock.now(),
    limits,
    leaving: world.leaving,
  }
}

const isIdle = (plan: SetPlan, set: CocoonSet) =>
  plan.needs.length === 0 &&
  plan.effects.length === 0 &&
  Object.keys(plan.annotations).length === 0 &&
  statusPatch(set, plan.status) === undefined

const statusPatch = ({ status }: CocoonSet, wanted: CocoonSetStatus) => mergeDiff({ ...status }, { ...wanted })

/** Decides on what the server has (F8, F25), and asks the registry as far as the decision needs it. */
async function lookAt(options: SetPassOptions, { set, pods }: Live) {
  const { registry, signal, decide = decideSet } = options
  if (!set) return undefined
  const tags = new Map<string, TagFact>()
  for (;;) {
    const facts = factsOf(options, set, pods, tags)
    const plan = decide(facts)
    const open = plan.needs.filter(vmName => !tags.has(vmName))
    if (open.length === 0) return { facts, plan }
    const isMoving = (vmName: string) => set.status?.migrations?.some(record => record.vmName === vmName) ?? false
    const answers = open.map(async vmName => {
      tags.set(vmName, await probe(registry, vmName, { isWhole: isMoving(vmName), signal }))
    })
    await Promise.all(answers)
  }
}

/**
 * The set and its pods, both asked for at once. A list by label makes the server look at all pods of the namespace: the
 * few pods of a small set are read by their names, which are those of its spec and those that were ever seen of it.
 */
async function readLive({ client, world }: SetPassOptions, namespace: string, name: string): Promise<Live> {
  const cached = world.set(namespace, name)
  const seen = world.podsOfSet(keyOf({ namespace, name })).map(({ metadata }) => metadata.name)
  const names = new Set([...seen, ...(cached ? podNamesOf(cached) : [])])
  const asked = client.get<CocoonSet>(cocoon.sets, { namespace, name })
  const list = async () =>
    (await client.list<Pod>(resources.pods, { namespace, labelSelector: `${labels.set}=${name}` })).items
  if (names.size === 0 || names.size > MAX_BY_NAME) return { set: await asked, pods: await list() }
  const reads = [...names].map(each => client.get<Pod>(resources.pods, { namespace, name: each }))
  const [set, ...found] = await Promise.all([asked, ...reads])
  const isKnown = set && !set.metadata.deletionTimestamp && podNamesOf(set).every(each => names.has(each))
  return { set, pods: isKnown ? found.filter(pod => pod !== undefined) : await list() }
}

/** Law 1: the record is durable before any effect. */
async function persist({ client }: SetPassOptions, set: CocoonSet, plan: SetPlan): Promise<CocoonSet> {
  let written = set
  const patch = (body: object, subresource?: string) =>
    client.patch<CocoonSet>(cocoon.sets, refOf(set), body, {
      precondition: { resourceVersion: written.metadata.resourceVersion ?? '' },
      ...(subresource && { subresource }),
    })
  if (Object.keys(plan.annotations).length > 0) written = await patch({ metadata: { annotations: plan.annotations } })
  const status = statusPatch(set, plan.status)
  if (status) written = await patch({ status }, 'status')
  return written
}

/** @returns what effects showed; and all pods as they are now, where every effect was an answered change of a pod */
async function performAll(options: SetPassOptions, set: CocoonSet, before: readonly Pod[], plan: SetPlan) {
  const receipts: Receipt[] = []
  for (const together of inTurns(plan.effects)) {
    const ends = await Promise.allSettled(together.map(effect => performEffect(options, set, before, effect)))
    for (const end of ends) {
      if (end.status === 'rejected') throw end.reason
      if (end.value) receipts.push(end.value)
    }
  }
  const changed = new Map(
    receipts.flatMap(receipt => (receipt.kind === 'changed' ? [[receipt.pod.metadata.name, receipt.pod]] : [])),
  )
  if (changed.size < plan.effects.length) await enter(options, set, receipts)
  const isAllTold = changed.size === plan.effects.length
  return { receipts, pods: isAllTold ? before.map(pod => changed.get(pod.metadata.name) ?? pod) : undefined }
}

/** Effects on pods do not depend on each other and go out together; each other one waits for those before it. */
function inTurns(effects: readonly SetEffect[]): SetEffect[][] {
  const turns: SetEffect[][] = []
  for (const effect of effects) {
    const last = turns.at(-1)
    const isJoining = last?.every(isOnPod) && isOnPod(effect) && last.length < MAX_TOGETHER
    if (isJoining) last.push(effect)
    else turns.push([effect])
  }
  return turns
}

const isOnPod = (effect: SetEffect) => 'pod' in effect || effect.kind === 'createRestored'

/** What effects showed goes into the record at once: the next look decides on it. */
async function enter({ client, events }: SetPassOptions, set: CocoonSet, receipts: readonly Receipt[]): Promise<void> {
  let { migrations = [], debts = [] } = set.status ?? {}
  for (const receipt of receipts) {
    if (receipt.kind === 'keptLeftover')
      migrations = migrations.map(record =>
        record.podName === receipt.podName ? { ...record, keptLeftover: true } : record,
      )
    if (receipt.kind === 'debt') {
      debts = debts.filter(({ vmName }) => vmName !== receipt.vmName)
      if (receipt.debt) debts = [...debts, receipt.debt]
      const { failure } = receipt.debt ?? {}
      if (failure)
        events.record({
          regarding: set,
          type: 'Warning',
          reason: 'MigrationGarbageRetained',
          message: `snapshot of ${receipt.vmName} cannot be deleted: ${failure.code}: ${failure.message}`,
        })
    }
    if (receipt.kind === 'nameTaken')
      events.record({
        regarding: set,
        type: 'Warning',
        reason: 'PodNameTaken',
        message: `pod ${receipt.podName} exists and is not of this set: delete or rename it`,
      })
  }
  const status = mergeDiff(
    { migrations: set.status?.migrations, debts: set.status?.debts },
    { migrations: migrations.length > 0 ? migrations : undefined, debts: debts.length > 0 ? debts : undefined },
  )
  if (!status) return
  const precondition = { resourceVersion: set.metadata.resourceVersion ?? '' }
  await client.patch(cocoon.sets, refOf(set), { status }, { subresource: 'status', precondition })
}

/** One log line for each change of phase, one Event for each thing a person may want to know of. */
function announce({ events, logger, metrics }: SetPassOptions, facts: SetFacts, after: CocoonSet, plan: SetPlan): void {
  const before = facts.set
  if (metrics) for (const count of countsOfPlan(facts, plan)) metrics.count(count)
  for (const event of plan.events) {
    events.record({ regarding: after, ...event })
    logger.info({ set: keyOf(after.metadata), reason: event.reason }, 'event')
  }
  for (const outcome of plan.status.lastMigrations ?? [])
    if (!before.status?.lastMigrations?.some(({ id }) => id === outcome.id)) metrics?.finished(outcome)
  if (before.status?.phase !== plan.status.phase)
    logger.info({ set: keyOf(after.metadata), from: before.status?.phase, phase: plan.status.phase }, 'phase changed')
}
