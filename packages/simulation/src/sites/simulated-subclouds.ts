/** Subclouds that two sites share: each has one home, and changes it in the middle of a playbook. */
import type { Cancel, Clock } from '@godwit/ports'
import { HOME_SWITCH, PLAYBOOK_STEPS, type PlaybookStep, refusalOf, type SimulatedRun } from './playbook-steps.ts'
import { DEFAULT_SUBCLOUD_KNOBS, type StepFault, type SubcloudKnobs } from './subcloud-knobs.ts'

export interface Home {
  /** UUID of the site. */
  readonly site: string
  readonly credentials: string
}

export interface NewSubcloud {
  readonly region: string
  readonly name: string
  readonly bootstrapAddress: string
  readonly sysadminPassword: string
  readonly release: string
  readonly home: Home
  readonly knobs?: Partial<SubcloudKnobs>
}

export type RunEnd =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly task: string; readonly text: string }
  | { readonly kind: 'interrupted'; readonly reason: string }
export type RunState = RunEnd | { readonly kind: 'running'; readonly step: PlaybookStep }

export type Presence = 'online' | 'offline' | 'unauthorized'

export interface HomeChange {
  readonly atMs: number
  readonly region: string
  readonly from: string
  readonly to: string
  readonly runId: string
}

interface Subcloud extends Omit<NewSubcloud, 'knobs' | 'home'> {
  home: Home
  sinceMs: number
  knobs: SubcloudKnobs
  readonly struck: Map<StepFault, number>
}

interface Run {
  readonly order: SimulatedRun
  state: RunState
  stopTimer: Cancel | undefined
  readonly ended: PromiseWithResolvers<void>
}

export class SimulatedSubclouds {
  readonly #clock: Clock
  readonly #subclouds = new Map<string, Subcloud>()
  /** Those that answer at an address while they are powered on: mostly one. */
  readonly #byAddress = new Map<string, Set<Subcloud>>()
  readonly #runs = new Map<string, Run>()
  readonly #history: HomeChange[] = []
  readonly #started: SimulatedRun[] = []
  readonly #violations: string[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add({ knobs, ...subcloud }: NewSubcloud): void {
    const added: Subcloud = {
      ...subcloud,
      sinceMs: Number.NEGATIVE_INFINITY,
      knobs: { ...DEFAULT_SUBCLOUD_KNOBS, ...knobs },
      struck: new Map(),
    }
    const { region, bootstrapAddress } = added
    const before = this.#subclouds.get(region)
    if (before) this.#byAddress.get(before.bootstrapAddress)?.delete(before)
    const there = this.#byAddress.get(bootstrapAddress) ?? new Set()
    this.#byAddress.set(bootstrapAddress, there.add(added))
    this.#subclouds.set(region, added)
  }

  turn(region: string, knobs: Partial<SubcloudKnobs>): void {
    const subcloud = this.#subcloud(region)
    subcloud.knobs = { ...subcloud.knobs, ...knobs }
  }

  home(region: string): Home {
    return this.#subcloud(region).home
  }

  /** Of the one that answers at this address; undefined: nobody does. */
  regionAt(bootstrapAddress: string): string | undefined {
    return this.#answering(bootstrapAddress)?.region
  }

  /** Every change of a home, in order. */
  get history(): readonly HomeChange[] {
    return this.#history
  }

  /** Every playbook that was begun, in order; one that was joined is there once. */
  get started(): readonly SimulatedRun[] {
    return this.#started
  }

  /** What no service may ever bring about, as sentences. */
  get violations(): readonly string[] {
    return this.#violations
  }

  get regions(): readonly string[] {
    return [...this.#subclouds.keys()]
  }

  /** Begins the run, unless it is known. */
  start(order: SimulatedRun): RunState {
    const known = this.#runs.get(order.runId)
    if (known) return known.state
    const other = this.#running(order.region)
    if (other) this.#violations.push(overlap(other.order, order))
    const run: Run = {
      order,
      state: { kind: 'running', step: PLAYBOOK_STEPS[0] },
      stopTimer: undefined,
      ended: Promise.withResolvers(),
    }
    this.#runs.set(order.runId, run)
    this.#started.push(order)
    this.#begin(run, 0)
    return run.state
  }

  /** undefined: not known, or discarded. */
  run(runId: string): RunState | undefined {
    return this.#runs.get(runId)?.state
  }

  /** Resolves when the run has ended, or is not known. */
  async ended(runId: string): Promise<void> {
    await this.#runs.get(runId)?.ended.promise
  }

  /** The step under way is not finished. */
  interrupt(runId: string, reason: string): void {
    const run = this.#runs.get(runId)
    if (run?.state.kind === 'running') this.#end(run, { kind: 'interrupted', reason })
  }

  /** Ends it too. */
  discard(runId: string): void {
    this.interrupt(runId, 'the run was discarded')
    this.#runs.delete(runId)
  }

  /** What a site sees that asks with these credentials. */
  presence(region: string, { site, credentials }: Home): Presence {
    const subcloud = this.#subclouds.get(region)
    if (!subcloud) return 'offline'
    const { knobs, home, sinceMs } = subcloud
    if (!knobs.isPoweredOn || knobs.unreachableFrom.includes(site)) return 'offline'
    if (home.site !== site || home.credentials !== credentials) return 'unauthorized'
    const { onlineAfterMs } = knobs
    const isUp =
      sinceMs === Number.NEGATIVE_INFINITY || this.#clock.now() - sinceMs >= (onlineAfterMs ?? Number.POSITIVE_INFINITY)
    return isUp ? 'online' : 'offline'
  }

  #begin(run: Run, index: number): void {
    const step = PLAYBOOK_STEPS[index]
    if (step === undefined) {
      this.#end(run, { kind: 'succeeded' })
      return
    }
    run.state = { kind: 'running', step }
    const target = this.#answering(run.order.bootstrapAddress)
    const refusal = refusalOf(step, run.order, target && { ...target, ...target.knobs })
    if (refusal !== undefined) {
      this.#end(run, failure(step, run.order, refusal))
      return
    }
    const fault = target && strike(target, step)
    const { stepMs } = target?.knobs ?? DEFAULT_SUBCLOUD_KNOBS
    if (fault?.kind === 'hang') return
    const delayMs = stepMs + (fault?.kind === 'slow' ? (fault.delayMs ?? 0) : 0)
    run.stopTimer = this.#clock.after(delayMs, () => this.#finish(run, index, fault))
  }

  #finish(run: Run, index: number, fault: StepFault | undefined): void {
    if (run.state.kind !== 'running') return
    const { step } = run.state
    if (step === HOME_SWITCH && fault?.kind !== 'fail') this.#switchHome(run.order)
    if (fault?.kind === 'fail' || fault?.kind === 'fail-after')
      this.#end(run, failure(step, run.order, 'FAILED! => {"msg": "simulated failure"}'))
    else this.#begin(run, index + 1)
  }

  #switchHome({ runId, region, site, credentials }: SimulatedRun): void {
    const subcloud = this.#subcloud(region)
    const atMs = this.#clock.now()
    this.#history.push({ atMs, region, from: subcloud.home.site, to: site, runId })
    subcloud.home = { site, credentials }
    subcloud.sinceMs = atMs
  }

  #end(run: Run, end: RunEnd): void {
    run.stopTimer?.()
    run.state = end
    run.ended.resolve()
  }

  #running(region: string): Run | undefined {
    for (const run of this.#runs.values()) if (run.order.region === region && run.state.kind === 'running') return run
    return undefined
  }

  #answering(bootstrapAddress: string): Subcloud | undefined {
    return [...(this.#byAddress.get(bootstrapAddress) ?? [])].find(({ knobs }) => knobs.isPoweredOn)
  }

  #subcloud(region: string): Subcloud {
    const subcloud = this.#subclouds.get(region)
    if (!subcloud) throw new Error(`there is no subcloud of region ${region}`)
    return subcloud
  }
}

/** Of two sites that do not see each other it may be nobody's fault. */
function overlap(first: SimulatedRun, second: SimulatedRun): string {
  const who = first.site === second.site ? 'two playbooks of one site' : 'playbooks of two sites'
  return `${who} run on ${second.region}: ${first.runId} and ${second.runId}`
}

function strike({ knobs, struck }: Subcloud, step: PlaybookStep): StepFault | undefined {
  const fault = knobs.faults.find(each => each.step === step && (struck.get(each) ?? 0) < (each.count ?? 1))
  if (fault) struck.set(fault, (struck.get(fault) ?? 0) + 1)
  return fault
}

const failure = (task: PlaybookStep, { region }: SimulatedRun, text: string): RunEnd => ({
  kind: 'failed',
  task,
  text: `fatal: [${region}]: ${text}`,
})
