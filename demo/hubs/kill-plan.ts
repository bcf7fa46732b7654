import { isTerminal, PHASES, type Phase } from '@godwit/hubs'
import type { PartyName } from './processes.ts'

export interface Kill {
  readonly who: PartyName
  readonly stage: Phase
}

/** Each party once, each in another stage. */
export const DEFAULT_KILLS: readonly Kill[] = [
  { who: 'source', stage: 'Initializing' },
  { who: 'controller', stage: 'Deploying' },
  { who: 'target', stage: 'Registering' },
]

const rank = (phase: Phase) => PHASES.indexOf(phase)

/** Kills that are due in this phase or were missed because it passed between two looks; each is handed out once. */
export class KillPlan {
  readonly #open: Kill[]

  constructor(kills: readonly Kill[]) {
    this.#open = [...kills]
  }

  due(phase: Phase | undefined): readonly Kill[] {
    if (phase === undefined || isTerminal(phase)) return []
    const due = this.#open.filter(({ stage }) => rank(stage) <= rank(phase))
    for (const kill of due) this.#open.splice(this.#open.indexOf(kill), 1)
    return due
  }

  /** What never came to pass. */
  get open(): readonly Kill[] {
    return this.#open
  }
}
