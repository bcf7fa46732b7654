/** What a seed stands for: what the subclouds are like, and what goes wrong when. Drawn before anything runs. */
import { type Random, seededRandom } from '@godwit/ports'
import { type CrashTime, PLAYBOOK_STEPS, type StepFault, type SubcloudKnobs } from '@godwit/simulation'
import type { NetworkKnobs } from './network.ts'
import type { SetUp } from './set-up.ts'
import type { SiteId } from './world.ts'

export type Incident =
  | { readonly kind: 'migrate' | 'cancel' | 'crash'; readonly site: SiteId }
  | { readonly kind: 'down'; readonly site: SiteId; readonly forMs: number }
  | { readonly kind: 'cut'; readonly forMs: number }
  | { readonly kind: 'network'; readonly knobs: NetworkKnobs; readonly forMs: number }
  | { readonly kind: 'step clock'; readonly site: SiteId; readonly byMs: number }
  | { readonly kind: 'address'; readonly site: SiteId; readonly number: number; readonly isRight: boolean }
  | { readonly kind: 'describe'; readonly site: SiteId; readonly number: number; readonly text: string }
  | { readonly kind: 'power'; readonly number: number; readonly forMs: number }
  | { readonly kind: 'unreachable'; readonly number: number; readonly site: SiteId; readonly forMs: number }

export interface Schedule {
  readonly seed: number
  readonly setUp: SetUp
  /** What both sites do when they lose each other. */
  readonly policy: 'alarm' | 'rehome'
  readonly knobs: readonly Partial<SubcloudKnobs>[]
  readonly crashes: readonly { readonly site: SiteId; readonly write: number; readonly when: CrashTime }[]
  readonly incidents: readonly { readonly atMs: number; readonly incident: Incident }[]
}

export const TROUBLE_MS = 8 * 60_000
const MINUTE_MS = 60_000

class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#random.next() * (high - low + 1))
  }

  isLucky(rate: number): boolean {
    return this.#random.next() < rate
  }

  times<T>(low: number, high: number, make: () => T): T[] {
    return Array.from({ length: this.whole(low, high) }, make)
  }

  oneOf<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.whole(0, choices.length - 1)] ?? choices[0]
  }
}

export function drawSchedule(seed: number): Schedule {
  const dice = new Dice(seededRandom(seed * 7_919 + 3))
  const members = dice.whole(1, 3)
  const wrong = dice.isLucky(0.3) ? [dice.whole(1, members)] : []
  const numbers = Array.from({ length: members }, (_, index) => index + 1)
  const incidents = [
    ...dice.times(1, 3, () => ({ kind: 'migrate', site: drawSite(dice) }) as const),
    ...dice.times(0, 3, () => drawTrouble(dice)),
    ...dice.times(0, 2, () => drawEdit(dice, members)),
    ...dice.times(0, 1, () => drawSubcloudTrouble(dice, members)),
    ...(dice.isLucky(0.2) ? [{ kind: 'cancel', site: drawSite(dice) } as const] : []),
  ]
  return {
    seed,
    setUp: { members, wrong, width: dice.whole(1, 2) },
    policy: dice.isLucky(0.3) ? 'rehome' : 'alarm',
    knobs: numbers.map(() => drawKnobs(dice)),
    crashes: dice.times(0, 3, () => ({
      site: drawSite(dice),
      write: dice.whole(1, 120),
      when: dice.oneOf(['before', 'after'] as const),
    })),
    incidents: incidents
      .map(incident => ({ atMs: dice.whole(0, TROUBLE_MS), incident }))
      .sort((a, b) => a.atMs - b.atMs),
  }
}

const drawSite = (dice: Dice): SiteId => dice.oneOf(['a', 'b'] as const)

function drawTrouble(dice: Dice): Incident {
  const forMs = dice.whole(5_000, 6 * MINUTE_MS)
  const draws: readonly [() => Incident, ...(() => Incident)[]] = [
    () => ({ kind: 'crash', site: drawSite(dice) }),
    () => ({ kind: 'down', site: drawSite(dice), forMs }),
    () => ({ kind: 'cut', forMs }),
    () => ({ kind: 'network', knobs: drawNetwork(dice), forMs }),
    () => ({ kind: 'step clock', site: drawSite(dice), byMs: dice.whole(-2 * MINUTE_MS, 2 * MINUTE_MS) }),
  ]
  return dice.oneOf(draws)()
}

const drawNetwork = (dice: Dice): NetworkKnobs => ({
  loses: dice.whole(0, 30) / 100,
  losesAnswer: dice.whole(0, 30) / 100,
  repeats: dice.whole(0, 30) / 100,
  delays: dice.whole(0, 50) / 100,
  maxDelayMs: dice.whole(100, 8_000),
})

function drawEdit(dice: Dice, members: number): Incident {
  const number = dice.whole(1, members)
  const site = drawSite(dice)
  if (dice.isLucky(0.6)) return { kind: 'address', site, number, isRight: dice.isLucky(0.7) }
  return { kind: 'describe', site, number, text: `edited ${dice.whole(1, 1_000)}` }
}

function drawSubcloudTrouble(dice: Dice, members: number): Incident {
  const number = dice.whole(1, members)
  const forMs = dice.whole(10_000, 4 * MINUTE_MS)
  return dice.isLucky(0.5)
    ? { kind: 'power', number, forMs }
    : { kind: 'unreachable', number, site: drawSite(dice), forMs }
}

function drawKnobs(dice: Dice): Partial<SubcloudKnobs> {
  const faults = dice.isLucky(0.3) ? [drawFault(dice)] : []
  return { stepMs: dice.whole(100, 5_000), onlineAfterMs: dice.whole(0, 90_000), faults }
}

function drawFault(dice: Dice): StepFault {
  const kind = dice.oneOf(['fail', 'fail-after', 'slow', 'hang'] as const)
  const step = PLAYBOOK_STEPS[dice.whole(0, PLAYBOOK_STEPS.length - 1)] ?? 'install CA'
  return { step, kind, ...(kind === 'slow' && { delayMs: dice.whole(1_000, 5 * MINUTE_MS) }) }
}
