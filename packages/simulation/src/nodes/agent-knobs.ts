/** How long a VM agent takes for what it does, and how likely it goes wrong. Durations in milliseconds. */
import type { Random } from '@godwit/ports'
import type { SeatAction, SeatKnobs, WorkPoint } from './seat.ts'

/** Where something may go wrong: work on the node, or a call to somebody else. */
export type FaultPoint = WorkPoint | Exclude<SeatAction['type'], 'work'>

export type AgentFaultEffect =
  /** It does not work. */
  | { readonly kind: 'fail' }
  /** It works, and the agent is told that it did not. */
  | { readonly kind: 'failAfter' }
  /** The agent dies just before, or just after. */
  | { readonly kind: 'crash'; readonly when: 'before' | 'after' }
  | { readonly kind: 'delay'; readonly delayMs: number }

/** What is left out does not matter. */
export interface AgentFault {
  readonly node?: string
  readonly vmName?: string
  readonly point?: FaultPoint
  /** Lets the first so many pass. */
  readonly skip?: number
  /** Strikes at most so often. Default once. */
  readonly count?: number
  readonly effect: AgentFaultEffect
}

export interface AgentKnobs extends SeatKnobs {
  readonly durations: Readonly<Record<WorkPoint, number>>
  /** 0…1, each. */
  readonly failures: Partial<Readonly<Record<FaultPoint, number>>>
  /** From the death of an agent to its next process. */
  readonly restartMs: number
  /** A node whose agent was not heard of for this long is not ready. */
  readonly notReadyAfterMs: number
  /** Pods of a node that does not exist any more are removed after this. */
  readonly podGcMs: number
}

/** As published for a small guest; pushes and pulls over a good network. */
export const DEFAULT_AGENT_KNOBS: AgentKnobs = Object.freeze({
  tickMs: 100,
  atomicHibernate: false,
  retryFirstMs: 1_000,
  retryMaxMs: 30_000,
  flushMs: 15_000,
  sweepMs: 600_000,
  durations: { save: 250, push: 1_000, remove: 50, fetch: 800, clone: 65, boot: 500, fixUp: 300 },
  failures: {},
  restartMs: 2_000,
  notReadyAfterMs: 40_000,
  podGcMs: 20_000,
})

/** No latency at all: what is left is the operator's own. */
export const INSTANT_AGENT_KNOBS: AgentKnobs = Object.freeze({
  ...DEFAULT_AGENT_KNOBS,
  durations: { save: 0, push: 0, remove: 0, fetch: 0, clone: 0, boot: 0, fixUp: 0 },
})

interface ActiveFault {
  readonly fault: AgentFault
  seen: number
  struck: number
}

export class AgentFaults {
  readonly #random: Random
  readonly #active = new Set<ActiveFault>()
  #strikes = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Switches a fault on; the returned function switches it off. */
  add(fault: AgentFault): () => void {
    const active = { fault, seen: 0, struck: 0 }
    this.#active.add(active)
    return () => this.#active.delete(active)
  }

  clear(): void {
    this.#active.clear()
  }

  get strikes(): number {
    return this.#strikes
  }

  /** What strikes this time: a planned fault, or bad luck at this rate. */
  strike(node: string, vmName: string, point: FaultPoint, rate: number): AgentFaultEffect | undefined {
    for (const active of this.#active) {
      const { fault } = active
      const isMeant =
        (fault.node ?? node) === node && (fault.vmName ?? vmName) === vmName && (fault.point ?? point) === point
      if (!isMeant) continue
      active.seen++
      if (active.seen <= (fault.skip ?? 0) || active.struck >= (fault.count ?? 1)) continue
      active.struck++
      this.#strikes++
      return fault.effect
    }
    if (rate <= 0 || this.#random.next() >= rate) return undefined
    this.#strikes++
    return { kind: 'fail' }
  }
}
