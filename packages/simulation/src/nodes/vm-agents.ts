/**
 * Runs the VM agents of all nodes of a cluster: feeds pods and answers to `stepSeat`, carries out what it wants. All share
 * one watch and one timer; each node can crash, be cut off or vanish by itself.
 */
import { Informer, type KubeClient, resources } from '@godwit/kube'
import { type Clock, type Logger, type Random, rfc3339, silentLogger, sleep } from '@godwit/ports'
import { TaskLimiter } from '../queue/task-limiter.ts'
import { TimerWheel } from '../queue/timer-wheel.ts'
import type { SnapshotStore } from '../registry/snapshot-store.ts'
import { forgetPod, publishLifecycle, writePodStatus } from './agent-calls.ts'
import { type AgentFaultEffect, AgentFaults, type AgentKnobs, type FaultPoint } from './agent-knobs.ts'
import { GuestLedger } from './ledger.ts'
import { HIBERNATE_TAG, podNames } from './names.ts'
import { podViewOf, type VmPod } from './pod.ts'
import { type Answer, counterAt, newSeat, type Observation, type SeatAction, type SeatState } from './seat.ts'
import { nextSeatWake, stepSeat } from './step-seat.ts'

export interface VmAgentsOptions {
  readonly client: KubeClient
  readonly store: SnapshotStore
  readonly nodes: readonly string[]
  readonly knobs: AgentKnobs
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** Whether the user asked for the end of this VM. Default: never. */
  readonly isGivenUp?: (vmName: string) => boolean
}

/** A guest that runs now. */
export interface RunningGuest {
  readonly vmName: string
  readonly node: string
  readonly id: string
  readonly counter: number
  readonly isReady: boolean
}

interface Seat {
  readonly key: string
  state: SeatState
}

/** Calls of all agents that are under way at the same time. */
const MAX_CALLS = 64
const WRITE_ATTEMPTS = 3
const WRITE_PAUSE_MS = 500
/** How long it takes to notice that nobody can be reached. */
const UNREACHABLE_MS = 1_000

export class VmAgents {
  readonly ledger = new GuestLedger()
  readonly faults: AgentFaults
  readonly pods: Informer<VmPod>
  readonly #options: VmAgentsOptions
  readonly #seats = new Map<string, Seat>()
  readonly #byVm = new Map<string, Seat[]>()
  #touched = new Set<string>()
  readonly #wheel: TimerWheel
  readonly #calls = new TaskLimiter(MAX_CALLS)
  readonly #down = new Map<string, number>()
  readonly #cut = new Set<string>()
  readonly #gone = new Set<string>()
  readonly #logger: Logger
  #knobs: AgentKnobs
  #ids = 0
  #works = 0
  #traffic = 0
  #isStopped = false

  constructor(options: VmAgentsOptions) {
    this.#options = options
    this.#knobs = options.knobs
    this.#logger = options.logger ?? silentLogger
    const { client, clock, random } = options
    this.faults = new AgentFaults(random)
    this.pods = new Informer<VmPod>({ client, resource: resources.pods, clock, random })
    this.pods.addIndex('node', ({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName]))
    this.#wheel = new TimerWheel(clock, key => this.#tick(key))
    this.pods.onChange(({ type, object }) => this.#seePod(object, type === 'deleted'))
  }

  async start(): Promise<void> {
    this.pods.start()
    await this.pods.synced()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wheel.stop()
    await this.#calls.stop()
    await this.pods.stop()
  }

  /** Calls that wait or are under way; work that only takes time does not count. */
  get load(): number {
    return this.#calls.load
  }

  /** Grows with everything that agents are told or ask. */
  get traffic(): number {
    return this.#traffic
  }

  /** Work on nodes that is under way. */
  get works(): number {
    return this.#works
  }

  /** From now on. */
  adjust(knobs: Partial<AgentKnobs>): void {
    this.#knobs = { ...this.#knobs, ...knobs }
    for (const seat of this.#seats.values()) seat.state = { ...seat.state, knobs: this.#knobs }
  }

  seats(): Iterable<SeatState> {
    return Array.from(this.#seats.values(), ({ state }) => state)
  }

  /** What any node knows of a VM. */
  seatsOf(vmName: string): readonly SeatState[] {
    return (this.#byVm.get(vmName) ?? []).map(({ state }) => state)
  }

  /** VMs of which anything may have changed since it was last asked. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  /** Every VM that runs now, on nodes that exist. */
  guests(): readonly RunningGuest[] {
    return [...this.#seats.values()].flatMap(({ state }) => this.#guestIn(state) ?? [])
  }

  /** One VM's guests: more than one is a disaster. */
  guestsOf(vmName: string): readonly RunningGuest[] {
    return this.seatsOf(vmName).flatMap(state => this.#guestIn(state) ?? [])
  }

  /** The agent's process dies; the VMs run on. It comes back by itself. */
  crashAgent(node: string, downMs = this.#knobs.restartMs): void {
    if (this.#gone.has(node)) return
    const epoch = (this.#down.get(node) ?? 0) + 1
    this.#down.set(node, epoch)
    for (const seat of this.#seatsOf(node)) this.observe(seat, { type: 'crashed' })
    const { clock } = this.#options
    clock.after(this.#knobs.notReadyAfterMs, () => {
      if (this.#down.get(node) === epoch) this.#tellReady(node, false)
    })
    clock.after(downMs, () => {
      if (this.#down.get(node) !== epoch || this.#isStopped) return
      this.#down.delete(node)
      this.#tellReady(node, true)
      this.#restart(node)
    })
  }

  /** Cuts the node off from the API and the registry, or lets it back. Its agent and its VMs run on. */
  setCut(node: string, isCut: boolean): void {
    if (this.#gone.has(node)) return
    if (!isCut) {
      if (!this.#cut.delete(node)) return
      this.#tellReady(node, true)
      this.#seeAll(node)
      return
    }
    this.#cut.add(node)
    this.#options.clock.after(this.#knobs.notReadyAfterMs, () => {
      if (this.#cut.has(node)) this.#tellReady(node, false)
    })
  }

  /** The machine burns down with everything on it, and stays so. */
  destroyNode(node: string): void {
    this.#gone.add(node)
    for (const seat of this.#seatsOf(node)) this.observe(seat, { type: 'destroyed' })
    this.#options.clock.after(this.#knobs.notReadyAfterMs, () => this.#tellReady(node, false))
  }

  /** The guest dies by itself. */
  killVm(vmName: string): void {
    for (const seat of this.#seats.values())
      if (seat.state.vmName === vmName && seat.state.disk.vm) this.observe(seat, { type: 'vmGone' })
  }

  observe(seat: Seat, observation: Observation, isDying = false): void {
    if (this.#isStopped) return
    this.#traffic++
    const nowMs = this.#options.clock.now()
    const { state, actions, notes } = stepSeat(seat.state, observation, nowMs)
    seat.state = state
    this.#touched.add(state.vmName)
    const isGivenUp = this.#options.isGivenUp?.(state.vmName) ?? false
    for (const note of notes) this.ledger.record(state.vmName, state.node, note, nowMs, isGivenUp)
    this.#wheel.set(seat.key, nextSeatWake(state))
    if (!isDying) for (const action of actions) this.#perform(seat, action)
  }

  #guestIn({ vmName, node, disk, memory, knobs }: SeatState): RunningGuest | undefined {
    if (!disk.vm) return undefined
    const counter = counterAt(disk.vm, this.#options.clock.now(), knobs.tickMs)
    return { vmName, node, id: disk.vm.id, counter, isReady: memory?.published?.state === 'ready' }
  }

  #tick(key: string): void {
    const seat = this.#seats.get(key)
    if (seat) this.observe(seat, { type: 'tick' })
  }

  #isDeaf = (node: string) => this.#down.has(node) || this.#cut.has(node) || this.#gone.has(node)

  #seePod(pod: VmPod, isDeleted: boolean): void {
    const node = pod.spec?.nodeName
    const vmName = pod.metadata.annotations?.[podNames.vmName]
    if (node === undefined || vmName === undefined || !this.#options.nodes.includes(node) || this.#isDeaf(node)) return
    const seat = this.#seatOf(node, vmName)
    const known = seat.state.memory?.pod
    if (isDeleted && known?.uid !== pod.metadata.uid) return
    this.observe(seat, { type: 'pod', pod: isDeleted ? undefined : podViewOf(pod) })
  }

  #seatOf(node: string, vmName: string): Seat {
    const key = `${node} ${vmName}`
    const known = this.#seats.get(key)
    if (known) return known
    const made = { key, state: newSeat(node, vmName, this.#knobs) }
    this.#seats.set(key, made)
    this.#byVm.set(vmName, [...(this.#byVm.get(vmName) ?? []), made])
    return made
  }

  #seatsOf = (node: string) => [...this.#seats.values()].filter(({ state }) => state.node === node)

  #podsOf(node: string): Map<string, VmPod> {
    const pods = this.pods.byIndex('node', node)
    return new Map(pods.map(pod => [pod.metadata.annotations?.[podNames.vmName] ?? '', pod]))
  }

  #restart(node: string): void {
    const pods = this.#podsOf(node)
    for (const vmName of pods.keys()) if (vmName !== '') this.#seatOf(node, vmName)
    for (const seat of this.#seatsOf(node)) {
      const pod = pods.get(seat.state.vmName)
      this.observe(seat, { type: 'started', pod: pod && podViewOf(pod) })
    }
  }

  #seeAll(node: string): void {
    const pods = this.#podsOf(node)
    for (const vmName of pods.keys()) if (vmName !== '') this.#seatOf(node, vmName)
    for (const seat of this.#seatsOf(node)) {
      const pod = pods.get(seat.state.vmName)
      this.observe(seat, { type: 'pod', pod: pod && podViewOf(pod) })
    }
  }

  #tellReady(node: string, isReady: boolean): void {
    if (this.#isStopped) return
    const { client, clock } = this.#options
    const condition = { type: 'Ready', status: isReady ? 'True' : 'Unknown', lastTransitionTime: rfc3339(clock.now()) }
    this.#calls.run(async () => {
      try {
        await client.patch(
          resources.nodes,
          { name: node },
          { status: { conditions: [condition] } },
          { subresource: 'status' },
        )
      } catch (error) {
        this.#logger.debug({ node, error: String(error) }, 'readiness of a node not told')
      }
    })
  }

  #perform(seat: Seat, action: SeatAction): void {
    const { node, vmName } = seat.state
    const point: FaultPoint = action.type === 'work' ? action.point : action.type
    const effect = this.faults.strike(node, vmName, point, this.#knobs.failures[point] ?? 0)
    if (effect?.kind === 'crash' && effect.when === 'before') {
      this.crashAgent(node)
      return
    }
    const delayMs = effect?.kind === 'delay' ? effect.delayMs : 0
    if (action.type === 'work') this.#work(seat, action, this.#knobs.durations[action.point] + delayMs, effect)
    else if (delayMs === 0) this.#calls.run(() => this.#call(seat, action, effect))
    else this.#options.clock.after(delayMs, () => this.#calls.run(() => this.#call(seat, action, effect)))
  }

  #work(seat: Seat, { ticket }: SeatAction, forMs: number, effect: AgentFaultEffect | undefined): void {
    this.#works++
    this.#options.clock.after(forMs, () => {
      this.#works--
      this.#answer(seat, ticket, effect?.kind === 'fail' ? failed('bad luck') : this.#success(), effect)
    })
  }

  async #call(seat: Seat, action: SeatAction, effect: AgentFaultEffect | undefined): Promise<void> {
    // The process that wanted it may have died while the call waited for its turn.
    if (!this.#isAwaited(seat, action.ticket)) return
    this.#traffic++
    const answer = effect?.kind === 'fail' ? failed('bad luck') : await this.#send(seat.state, action)
    this.#answer(seat, action.ticket, answer, effect)
  }

  #isAwaited({ state: { memory } }: Seat, ticket: number): boolean {
    return memory?.operation?.ticket === ticket || memory?.boot?.ticket === ticket || memory?.noteTicket === ticket
  }

  #answer(seat: Seat, ticket: number, answer: Answer, effect: AgentFaultEffect | undefined): void {
    const told = effect?.kind === 'failAfter' ? failed('the answer was lost') : answer
    const isDying = effect?.kind === 'crash'
    // What was done is done; what it would have led to is not, when the process dies of it.
    this.observe(seat, { type: 'answered', ticket, answer: told }, isDying)
    if (isDying) this.crashAgent(seat.state.node)
  }

  #success(): Answer {
    return { ok: true, freshId: `${Math.floor(this.#options.random.next() * 2 ** 32).toString(16)}-${++this.#ids}` }
  }

  async #send(state: SeatState, action: SeatAction): Promise<Answer> {
    const { clock } = this.#options
    if (this.#cut.has(state.node)) {
      await sleep(clock, UNREACHABLE_MS)
      return failed('nobody can be reached')
    }
    const isWrite = action.type === 'publish' || action.type === 'status' || action.type === 'forget'
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sendOnce(state, action)
      } catch (error) {
        this.#logger.debug(
          { node: state.node, vm: state.vmName, action: action.type, error: String(error) },
          'call failed',
        )
        if (!isWrite || attempt === WRITE_ATTEMPTS) return failed(String(error))
        await sleep(clock, WRITE_PAUSE_MS)
      }
    }
  }

  async #sendOnce({ vmName }: SeatState, action: SeatAction): Promise<Answer> {
    const { client, store, clock } = this.#options
    switch (action.type) {
      case 'publish':
        await publishLifecycle(client, action.pod, action.what, action.vm)
        return { ok: true }
      case 'status':
        await writePodStatus(client, action.pod, action.as, clock.now())
        return { ok: true }
      case 'forget':
        await forgetPod(client, action.pod)
        return { ok: true }
      case 'look': {
        const found = await store.read(vmName, HIBERNATE_TAG)
        return { ok: true, ...(found && { found }) }
      }
      case 'store': {
        const createdAt = rfc3339(clock.now())
        return { ok: true, digest: await store.push(vmName, action.tag, { ...action.snapshot, createdAt }) }
      }
      case 'unstore':
        await store.drop(vmName, action.digest)
        return { ok: true }
      case 'work':
        return this.#success()
    }
  }
}

const failed = (error: string): Answer => ({ ok: false, error })
