/** The operations of a VM agent, stage by stage. Each stage is one action; its answer leads to the next stage. Pure. */
import { HIBERNATE_TAG, LATEST_TAG } from './names.ts'
import type { PodView } from './pod.ts'
import {
  type Answer,
  counterAt,
  type Found,
  type Guest,
  type Lifecycle,
  type LocalSnapshot,
  type Memory,
  type Note,
  type Operation,
  type SeatAction,
  type SeatState,
  type Stage,
} from './seat.ts'

/** A transition in the making. */
export interface Draft {
  state: SeatState
  memory: Memory
  readonly actions: SeatAction[]
  readonly notes: Note[]
}

const NO_SNAPSHOT = 'there is no snapshot to restore from'

type Wanted = SeatAction extends infer A ? (A extends { readonly ticket: number } ? Omit<A, 'ticket'> : never) : never

type Next = Operation | undefined

/** Goes on to a stage and sends its action. Stages that have nothing to do are passed over. */
export function enter(draft: Draft, operation: Operation, nowMs: number): void {
  let next: Next = operation
  while (next) {
    const wanted = wantedFor(draft, next)
    if (wanted !== 'skip') {
      send(draft, next, wanted)
      return
    }
    next = follow(draft, next, { ok: true }, nowMs)
  }
}

/** Takes the answer to the stage that the operation is in. */
export function advance(draft: Draft, answer: Answer, nowMs: number): void {
  const { operation } = draft.memory
  const next = operation && follow(draft, operation, answer, nowMs)
  if (next) enter(draft, next, nowMs)
}

function send(draft: Draft, operation: Operation, wanted: Wanted): void {
  const ticket = draft.state.ticket + 1
  draft.state = { ...draft.state, ticket }
  draft.memory = { ...draft.memory, operation: { ...operation, ticket } }
  draft.actions.push({ ...wanted, ticket } as SeatAction)
}

function wantedFor(draft: Draft, { kind, at, pod, snapshot, digest, isClearOwed, error }: Operation): Wanted | 'skip' {
  const { vm } = draft.state.disk
  switch (at) {
    case 'announce':
      return publish(draft, pod, kind === 'hibernate' ? 'hibernating' : 'creating', kind === 'wake' ? null : undefined)
    case 'look':
      return { type: 'look' }
    case 'store': {
      const tag = kind === 'delete' ? LATEST_TAG : HIBERNATE_TAG
      return snapshot ? { type: 'store', tag, snapshot } : 'skip'
    }
    case 'clear':
      return publish(draft, pod, 'hibernating', null)
    case 'unstore':
      return digest === undefined ? 'skip' : { type: 'unstore', digest }
    case 'identify':
      return pod ? publish(draft, pod, 'creating', vm) : 'skip'
    case 'conclude':
      return concluding(draft, kind, pod, isClearOwed)
    case 'status':
      return pod ? { type: 'status', pod, as: statusAfter(kind, pod) } : 'skip'
    case 'forget':
      return pod?.isDeleting ? { type: 'forget', pod } : 'skip'
    case 'fail':
      return publish(draft, pod, 'failed', vm, error)
    case 'save':
      return kind === 'delete' && !savesOnDelete(draft) ? 'skip' : { type: 'work', point: 'save' }
    case 'push':
      return snapshot ? { type: 'work', point: 'push' } : 'skip'
    case 'remove':
      return vm ? { type: 'work', point: 'remove' } : 'skip'
    case 'fetch':
    case 'clone':
    case 'boot':
      return { type: 'work', point: at }
  }
}

function statusAfter(kind: Operation['kind'], pod: PodView) {
  if (kind === 'evict') return 'failed'
  if (kind === 'hibernate' || kind === 'resume') return 'pending'
  return pod.isManaged ? 'running' : 'ready'
}

function concluding(draft: Draft, kind: Operation['kind'], pod: PodView | undefined, isClearOwed = false) {
  if (kind === 'create') return publish(draft, pod, 'ready', undefined)
  // The id goes with the same patch once more when the earlier one was lost; after a restart nobody remembers.
  return publish(draft, pod, 'hibernated', isClearOwed || kind === 'resume' ? null : undefined)
}

function savesOnDelete({ state, memory }: Draft): boolean {
  const { pod } = memory
  if (!state.disk.vm || !pod?.isManaged) return false
  return pod.snapshotPolicy === 'always' || (pod.snapshotPolicy === 'main-only' && pod.isMain)
}

/** Remembers what it is about to publish: the newest generation wins, whatever pod an operation began with. */
function publish(
  draft: Draft,
  pod: PodView | undefined,
  state: Lifecycle,
  vm: Guest | null | undefined,
  message = '',
): Wanted | 'skip' {
  if (!pod) return 'skip'
  const seen = draft.memory.pod?.uid === pod.uid ? draft.memory.pod.generation : 0
  const generation = Math.max(pod.generation, seen, draft.memory.published?.generation ?? 0)
  const what = { state, generation, message }
  draft.memory = { ...draft.memory, published: what }
  return { type: 'publish', pod, what, ...(vm !== undefined && { vm }) }
}

function follow(draft: Draft, operation: Operation, answer: Answer, nowMs: number): Next {
  if (!answer.ok) return stumble(draft, operation, answer.error, nowMs)
  switch (operation.at) {
    case 'announce':
      return afterAnnounce(draft, operation)
    case 'look':
      return afterLook(draft, operation, answer.found)
    case 'fetch':
      return { ...operation, at: 'clone' }
    case 'clone':
    case 'boot':
      return afterStart(draft, operation, answer.freshId ?? 'vm', nowMs)
    case 'save':
      return afterSave(draft, operation, answer.freshId ?? 'snapshot', nowMs)
    case 'push':
      return { ...operation, at: 'store' }
    case 'store':
      return afterStore(draft, operation, answer.digest)
    case 'clear':
      return { ...operation, at: 'remove' }
    case 'remove':
      return afterRemove(draft, operation, nowMs)
    case 'unstore':
      return { ...operation, at: 'fail' }
    case 'identify':
    case 'conclude':
      return { ...operation, at: 'status' }
    case 'status':
      return afterStatus(draft, operation)
    case 'forget':
      return end(draft, operation)
    case 'fail':
      return operation.kind === 'evict' ? { ...operation, at: 'status' } : giveUp(draft, operation, nowMs)
  }
}

function afterAnnounce(draft: Draft, operation: Operation): Next {
  const { vm } = draft.state.disk
  if (operation.kind === 'hibernate') return { ...operation, at: 'save' }
  if (vm) return { ...operation, at: 'identify' }
  // What is not managed has its identity from the pod already.
  if (operation.pod && !operation.pod.isManaged) return { ...operation, at: 'conclude' }
  return { ...operation, at: 'look' }
}

function afterLook(draft: Draft, operation: Operation, found: Found | undefined): Next {
  const { snapshot } = draft.state.disk
  // A local copy that is not what the registry shows is stale, whatever made it so.
  if (snapshot && snapshot.snapshotId !== found?.snapshotId) dropLocal(draft)
  const { kind, pod } = operation
  if (kind === 'sweep') return end(draft, operation)
  if (kind === 'resume') return found ? { ...operation, at: 'conclude' } : refuse(operation, NO_SNAPSHOT)
  if (!found) {
    const isOwed = kind === 'wake' || pod?.restore === true
    return isOwed ? refuse(operation, NO_SNAPSHOT) : { ...operation, at: 'boot' }
  }
  const isDerived = kind === 'create' && pod?.restore !== true
  if (kind === 'create' && found.image !== '' && found.image !== pod?.image)
    return refuse(operation, `the snapshot is of ${found.image}, the pod wants ${pod?.image}`)
  if (isDerived && pod?.isFork) return refuse(operation, 'HibernateSnapshotExists: a fork would hide it')
  const isLocal = draft.state.disk.snapshot !== undefined
  return { ...operation, found, at: isLocal ? 'clone' : 'fetch' }
}

function afterStart(draft: Draft, operation: Operation, id: string, nowMs: number): Next {
  const { found } = operation
  const guest: Guest = { id, base: found?.counter ?? 0, sinceMs: nowMs }
  draft.state = { ...draft.state, disk: { ...draft.state.disk, vm: guest } }
  const podUid = operation.pod?.uid ?? ''
  draft.notes.push({ type: 'started', guest, how: found ? 'restored' : 'fresh', podUid })
  return { ...operation, at: 'identify' }
}

function afterSave(draft: Draft, operation: Operation, snapshotId: string, nowMs: number): Next {
  const { disk, knobs, node } = draft.state
  const { vm } = disk
  if (!vm) return { ...operation, at: operation.kind === 'delete' ? 'remove' : 'fail', error: 'the VM is gone' }
  // A delete that saves nothing comes by here too.
  if (operation.kind === 'delete' && !savesOnDelete(draft)) return { ...operation, at: 'remove' }
  const counter = counterAt(vm, nowMs, knobs.tickMs)
  const snapshot: LocalSnapshot = { snapshotId, counter, image: operation.pod?.image ?? '', fromNode: node }
  const isFrozen = knobs.atomicHibernate && operation.kind === 'hibernate'
  const guest = isFrozen ? { ...vm, base: counter, sinceMs: nowMs, frozenAtMs: nowMs } : vm
  const kept = operation.kind === 'hibernate' ? { ...disk, snapshot } : disk
  draft.state = { ...draft.state, disk: { ...kept, vm: guest } }
  return { ...operation, snapshot, at: 'push' }
}

function afterStore(draft: Draft, operation: Operation, digest: string | undefined): Next {
  const { snapshot, kind } = operation
  if (snapshot) draft.notes.push({ type: 'saved', snapshot, tag: kind === 'delete' ? LATEST_TAG : HIBERNATE_TAG })
  const at: Stage = kind === 'delete' ? 'remove' : 'clear'
  return { ...operation, at, ...(digest !== undefined && { digest }) }
}

function afterRemove(draft: Draft, operation: Operation, nowMs: number): Next {
  const { vm, ...disk } = draft.state.disk
  if (vm) {
    const counter = counterAt(vm, nowMs, draft.state.knobs.tickMs)
    draft.notes.push({ type: 'stopped', counter, why: operation.kind === 'hibernate' ? 'hibernated' : 'deleted' })
  }
  draft.state = { ...draft.state, disk }
  if (operation.kind === 'hibernate') return { ...operation, at: 'conclude' }
  if (!operation.pod?.keepSnapshot && !draft.memory.pod?.keepSnapshot) dropLocal(draft)
  return { ...operation, at: 'forget' }
}

function afterStatus(draft: Draft, operation: Operation): undefined {
  end(draft, operation)
  const isStarted = operation.kind === 'create' || operation.kind === 'wake'
  if (!isStarted || !operation.pod?.isManaged) return
  const ticket = draft.state.ticket + 1
  draft.state = { ...draft.state, ticket }
  draft.memory = { ...draft.memory, boot: { at: 'fixUp', ticket } }
  draft.actions.push({ type: 'work', point: 'fixUp', ticket })
}

/** Something did not work. What becomes of the operation depends on how far it had come. */
function stumble(draft: Draft, operation: Operation, error: string, nowMs: number): Next {
  switch (operation.at) {
    case 'announce':
      // The lifecycle is written again later; the work does not wait for it.
      oweFlush(draft, nowMs)
      return afterAnnounce(draft, operation)
    case 'clear':
      return { ...operation, isClearOwed: true, at: 'remove' }
    case 'remove':
      return { ...operation, error, at: operation.kind === 'hibernate' ? 'unstore' : 'fail' }
    case 'unstore':
      return { ...operation, at: 'fail' }
    case 'conclude':
      oweFlush(draft, nowMs)
      return { ...operation, at: 'status' }
    case 'status':
    case 'forget':
      return giveUp(draft, operation, nowMs)
    case 'fail':
      oweFlush(draft, nowMs)
      return giveUp(draft, operation, nowMs)
    default:
      return { ...operation, error, at: 'fail' }
  }
}

const refuse = (operation: Operation, error: string): Operation => ({ ...operation, error, at: 'fail' })

const oweFlush = (draft: Draft, nowMs: number) => {
  draft.memory = { ...draft.memory, flushAtMs: nowMs + draft.state.knobs.flushMs }
}

function dropLocal(draft: Draft): void {
  const { snapshot: _stale, ...disk } = draft.state.disk
  draft.state = { ...draft.state, disk }
}

function end(draft: Draft, { kind, pod }: Operation): undefined {
  const { operation: _ended, tracked, published, ...rest } = draft.memory
  const isOver = kind === 'delete'
  draft.memory = {
    ...rest,
    failures: 0,
    ...(!isOver && tracked !== undefined && { tracked }),
    ...(!isOver && published && { published }),
    ...(kind === 'evict' && pod && { evicted: pod.uid }),
  }
}

/** The framework tries again later, each time after a longer while. A guest that was stopped for its save goes on. */
function giveUp(draft: Draft, operation: Operation, nowMs: number): undefined {
  const { operation: _failed, ...rest } = draft.memory
  const { retryFirstMs, retryMaxMs } = draft.state.knobs
  const waitMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(rest.failures, 20))
  draft.memory = { ...rest, failures: rest.failures + 1, retryAtMs: nowMs + waitMs }
  const { vm } = draft.state.disk
  if (operation.kind !== 'hibernate' || vm?.frozenAtMs === undefined) return
  const { frozenAtMs: _thawed, ...guest } = vm
  draft.state = { ...draft.state, disk: { ...draft.state.disk, vm: { ...guest, sinceMs: nowMs } } }
}
