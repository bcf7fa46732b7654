/** A VM agent's doings about one VM name, as a pure function: pods and answers come in, actions go out. */
import { advance, type Draft, enter } from './operations.ts'
import type { PodView } from './pod.ts'
import {
  type Answer,
  counterAt,
  type Memory,
  type Note,
  type Observation,
  type OperationKind,
  type SeatState,
  type SeatStep,
  type Stage,
} from './seat.ts'

/** One transition. `nowMs` is epoch milliseconds. Answers with another ticket than the expected ones are ignored. */
export function stepSeat(state: SeatState, observation: Observation, nowMs: number): SeatStep {
  switch (observation.type) {
    case 'crashed':
      return done({ ...state, memory: undefined })
    case 'destroyed':
      return done({ ...state, disk: {}, memory: undefined }, stopNote(state, 'destroyed', nowMs))
    case 'started':
      return start(state, observation.pod, nowMs)
    case 'vmGone':
      return loseVm(state, nowMs)
    default: {
      const { memory } = state
      if (!memory) return done(state)
      if (observation.type === 'pod') return seePod(state, memory, observation.pod, nowMs)
      if (observation.type === 'tick') return begin(draftOf(state, memory), nowMs)
      return answered(state, memory, observation.ticket, observation.answer, nowMs)
    }
  }
}

/** When `stepSeat` must be called with a tick next, in epoch milliseconds; undefined: only on an observation. */
export function nextSeatWake({ memory }: SeatState): number | undefined {
  if (!memory || memory.operation) return undefined
  const moments = [memory.retryAtMs, memory.flushAtMs, memory.sweepAtMs].filter(each => each !== undefined)
  return moments.length > 0 ? Math.min(...moments) : undefined
}

const done = (state: SeatState, notes: readonly Note[] = []): SeatStep => ({ state, actions: [], notes })

const draftOf = (state: SeatState, memory: Memory, notes: readonly Note[] = []): Draft => ({
  state,
  memory,
  actions: [],
  notes: [...notes],
})

function stopNote({ disk, knobs }: SeatState, why: Extract<Note, { type: 'stopped' }>['why'], nowMs: number): Note[] {
  if (!disk.vm) return []
  const isFrozen = disk.vm.frozenAtMs !== undefined
  return [{ type: 'stopped', counter: counterAt(disk.vm, nowMs, knobs.tickMs), why, isFrozen }]
}

function loseVm(state: SeatState, nowMs: number): SeatStep {
  const { vm: _gone, ...disk } = state.disk
  const notes = stopNote(state, 'crashed', nowMs)
  const next = { ...state, disk }
  if (!state.memory) return done(next, notes)
  // What was under way was about this VM.
  const { boot: _boot, operation: _operation, ...memory } = state.memory
  return begin(draftOf(next, { ...memory, hasUpdate: true, isVmLost: true }, notes), nowMs)
}

function seePod(state: SeatState, memory: Memory, pod: PodView | undefined, nowMs: number): SeatStep {
  const { pod: before, retryAtMs, ...rest } = memory
  // A new wish does not wait until the old one is tried again.
  const isWaiting = retryAtMs !== undefined && !isNewWish(before, pod)
  const next = { ...rest, ...(pod && { pod }), ...(isWaiting && { retryAtMs }), hasUpdate: true }
  return begin(draftOf(state, next), nowMs)
}

const isNewWish = (before: PodView | undefined, after: PodView | undefined) =>
  before?.uid !== after?.uid || before?.hibernate !== after?.hibernate || before?.isDeleting !== after?.isDeleting

/** A new process rebuilds its memory from the API and the disk; VMs that no pod asks for are destroyed. */
function start(state: SeatState, pod: PodView | undefined, nowMs: number): SeatStep {
  const memory: Memory = { hasUpdate: pod !== undefined, failures: 0, ...(pod && { pod }) }
  if (!pod && state.disk.vm) {
    const { vm: _orphan, ...disk } = state.disk
    return done({ ...state, disk, memory }, stopNote(state, 'orphaned', nowMs))
  }
  return begin(draftOf({ ...state, memory }, memory), nowMs)
}

function answered(state: SeatState, memory: Memory, ticket: number, answer: Answer, nowMs: number): SeatStep {
  const draft = draftOf(state, memory)
  if (memory.noteTicket === ticket) {
    const { noteTicket: _answered, ...rest } = memory
    draft.memory = answer.ok ? rest : { ...rest, flushAtMs: nowMs + state.knobs.flushMs }
    return begin(draft, nowMs)
  }
  if (memory.boot?.ticket === ticket) {
    advanceBoot(draft, answer, nowMs)
    return begin(draft, nowMs)
  }
  if (memory.operation?.ticket !== ticket) return done(state)
  advance(draft, answer, nowMs)
  return begin(draft, nowMs)
}

/** Fix-up, then the pod's readiness, then the lifecycle: in this order. */
function advanceBoot(draft: Draft, answer: Answer, nowMs: number): void {
  const { boot, pod, ...rest } = draft.memory
  if (!boot || !pod) return
  if (!answer.ok && boot.at === 'fixUp') {
    draft.memory = { ...rest, pod, boot: { at: 'fixUp', ticket: act(draft, { type: 'work', point: 'fixUp' }) } }
    return
  }
  if (!answer.ok && boot.at === 'status') {
    draft.memory = { ...rest, pod, boot: { at: 'status', ticket: act(draft, { type: 'status', pod, as: 'ready' }) } }
    return
  }
  if (boot.at === 'fixUp') {
    draft.memory = { ...rest, pod, boot: { at: 'status', ticket: act(draft, { type: 'status', pod, as: 'ready' }) } }
    return
  }
  const what = { state: 'ready', generation: generationOf(rest, pod), message: '' } as const
  if (boot.at === 'status') {
    const ticket = act(draft, { type: 'publish', pod, what, ...(draft.state.disk.vm && { vm: draft.state.disk.vm }) })
    draft.memory = { ...rest, pod, published: what, boot: { at: 'ready', ticket } }
    return
  }
  draft.memory = { ...rest, pod, ...(!answer.ok && { flushAtMs: nowMs + draft.state.knobs.flushMs }) }
}

const generationOf = ({ published }: Pick<Memory, 'published'>, pod: PodView) =>
  Math.max(pod.generation, published?.generation ?? 0)

type Unnumbered = Parameters<Draft['actions']['push']>[0] extends infer A
  ? A extends { readonly ticket: number }
    ? Omit<A, 'ticket'>
    : never
  : never

function act(draft: Draft, action: Unnumbered): number {
  const ticket = draft.state.ticket + 1
  draft.state = { ...draft.state, ticket }
  draft.actions.push({ ...action, ticket } as Draft['actions'][number])
  return ticket
}

/** Begins what is due, unless something is under way: the queue of a pod is serial. */
function begin(draft: Draft, nowMs: number): SeatStep {
  if (!draft.memory.operation) {
    const kind = dueOperation(draft, nowMs)
    if (kind !== undefined) startOperation(draft, kind, nowMs)
    else settle(draft, nowMs)
  }
  return { state: { ...draft.state, memory: draft.memory }, actions: draft.actions, notes: draft.notes }
}

function startOperation(draft: Draft, kind: OperationKind, nowMs: number): void {
  const { retryAtMs: _due, boot, flushAtMs: _written, sweepAtMs: _swept, isVmLost: _told, ...rest } = draft.memory
  const { pod } = draft.memory
  const isBackground = kind === 'sweep'
  draft.memory = {
    ...rest,
    ...(isBackground && boot && { boot }),
    hasUpdate: false,
    lastKind: kind,
    ...(pod && !pod.isDeleting && { tracked: pod.uid }),
  }
  enter(draft, { kind, at: FIRST[kind], ticket: 0, pod }, nowMs)
}

const FIRST: Readonly<Record<OperationKind, Stage>> = {
  create: 'announce',
  wake: 'announce',
  hibernate: 'announce',
  delete: 'save',
  resume: 'look',
  sweep: 'look',
  evict: 'fail',
}

/** What the pod, compared with the disk, asks for now. */
function dueOperation({ memory, state }: Draft, nowMs: number): OperationKind | undefined {
  const { pod, retryAtMs, sweepAtMs } = memory
  const { vm, snapshot } = state.disk
  if (retryAtMs !== undefined && retryAtMs > nowMs) return undefined
  const isWoken = memory.hasUpdate || retryAtMs !== undefined
  const sweep = sweepAtMs !== undefined && sweepAtMs <= nowMs && snapshot && !vm ? 'sweep' : undefined
  if (!pod) return vm !== undefined || (snapshot && memory.tracked !== undefined) ? 'delete' : sweep
  if (pod.isDeleting) return isWoken ? 'delete' : undefined
  if (isWoken) {
    const due = dueForPod(memory, pod, vm !== undefined)
    if (due) return due
  }
  return sweep
}

function dueForPod(memory: Memory, pod: PodView, hasVm: boolean): OperationKind | undefined {
  if (memory.evicted === pod.uid) return undefined
  const isNew = memory.tracked !== pod.uid
  if (!hasVm && memory.isVmLost && !isNew) return 'evict'
  if (pod.hibernate) return hasVm ? dueToSave(pod) : dueWhileSaved(memory, pod, isNew)
  if (isNew) return 'create'
  const isRetry = memory.retryAtMs !== undefined
  if (hasVm) return isRetry && memory.published?.state !== 'ready' && !memory.boot ? 'create' : undefined
  if (!pod.isManaged) return undefined
  return memory.published?.state === 'hibernated' || memory.lastKind === 'wake' ? 'wake' : 'create'
}

const dueToSave = (pod: PodView) => (pod.isMac ? undefined : 'hibernate')

/** A pod whose VM is saved already is looked at after a restart; a new pod is created whatever it asks for. */
function dueWhileSaved(memory: Memory, pod: PodView, isNew: boolean): OperationKind | undefined {
  const isSaved = (state: string | undefined) => state === 'hibernated' || state === 'hibernating'
  if (isNew) return isSaved(pod.lifecycle) ? 'resume' : 'create'
  return memory.retryAtMs !== undefined && isSaved(memory.published?.state) ? 'resume' : undefined
}

/** Nothing is due: echo a new generation, write what was lost, lift a failure whose cause is gone. */
function settle(draft: Draft, nowMs: number): void {
  const { memory, state } = draft
  const { pod, published, flushAtMs, noteTicket } = memory
  const { retryAtMs, ...calm } = memory
  const isRetryOver = retryAtMs !== undefined && retryAtMs <= nowMs
  draft.memory = { ...(isRetryOver ? calm : memory), hasUpdate: false }
  const isSweepable = state.disk.snapshot !== undefined && state.disk.vm === undefined
  const { sweepAtMs = nowMs + state.knobs.sweepMs, ...unswept } = draft.memory
  draft.memory = isSweepable ? { ...unswept, sweepAtMs } : unswept
  if (!pod || !published || pod.isDeleting || noteTicket !== undefined || memory.tracked !== pod.uid) return
  const { vm } = state.disk
  if (published.state === 'failed' && vm && !pod.hibernate && !memory.boot) {
    draft.memory = { ...draft.memory, boot: { at: 'fixUp', ticket: act(draft, { type: 'work', point: 'fixUp' }) } }
    return
  }
  const isDue = flushAtMs !== undefined && flushAtMs <= nowMs
  if (pod.generation <= published.generation && !isDue) return
  const what = { ...published, generation: generationOf(memory, pod) }
  const { flushAtMs: _written, ...rest } = draft.memory
  const isGone = published.state === 'hibernated'
  const noted = act(draft, { type: 'publish', pod, what, ...(isDue && (vm ? { vm } : isGone ? { vm: null } : {})) })
  draft.memory = { ...rest, published: what, noteTicket: noted }
}
