/** What goes wrong in a run, and what the user does meanwhile, drawn from its seed. Pure. */
import type { FaultEffect, FaultRule } from '@godwit/kube-server'
import { type Random, seededRandom } from '@godwit/ports'
import type { AgentFault, AgentKnobs, CrashTime, RegistryFaultRule } from '@godwit/simulation'
import { EDIT_NAMES, type EditName } from './scenarios.ts'
import { NODES, OPERATOR } from './world.ts'

export type Incident =
  | { readonly kind: 'api'; readonly rule: FaultRule; readonly forMs: number }
  | { readonly kind: 'registry'; readonly rule: RegistryFaultRule; readonly forMs: number }
  | { readonly kind: 'registryDown'; readonly forMs: number }
  | { readonly kind: 'agent'; readonly fault: AgentFault }
  | { readonly kind: 'cut'; readonly node: string; readonly forMs: number }
  | { readonly kind: 'destroy'; readonly node: string; readonly removedAfterMs: number | undefined }
  | { readonly kind: 'lie'; readonly rule: RegistryFaultRule; readonly forMs: number }
  | { readonly kind: 'cordon'; readonly node: string; readonly forMs: number }
  | { readonly kind: 'sleep'; readonly sleepMs: number; readonly noticeMs: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'edit'; readonly edit: EditName | 'unsuspend' | 'wake' }

export interface Schedule {
  readonly seed: number
  readonly replicas: number
  readonly policy: 'retain' | 'release'
  readonly deletion: boolean
  readonly knobs: Partial<AgentKnobs>
  readonly crashes: readonly { readonly write: number; readonly when: CrashTime }[]
  readonly incidents: readonly { readonly atMs: number; readonly incident: Incident }[]
}

/** Misfortune begins this early after the pin; what lasts is over by `CALM_AT_MS`. */
const TROUBLE_MS = 8_000
export const CALM_AT_MS = 25_000

class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** From `low` to `high`, both included. */
  whole = (low: number, high: number) => low + Math.floor(this.#random.next() * (high - low + 1))
  isLucky = (chance: number) => this.#random.next() < chance
  times = <T>(low: number, high: number, make: () => T): T[] => Array.from({ length: this.whole(low, high) }, make)

  oneOf<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.whole(0, choices.length - 1)] ?? choices[0]
  }
}

export function drawSchedule(seed: number): Schedule {
  const dice = new Dice(seededRandom(seed * 6_151 + 11))
  const policy = dice.isLucky(0.25) ? 'release' : 'retain'
  const incidents = [
    ...dice.times(0, 2, () => drawApiFault(dice)),
    ...dice.times(0, 2, () => drawRegistryFault(dice)),
    ...dice.times(0, 2, () => ({ kind: 'agent', fault: drawAgentFault(dice) }) as const),
    ...dice.times(0, 1, () => drawNodeTrouble(dice)),
    ...(dice.isLucky(0.12) ? [drawDestruction(dice)] : []),
    ...(dice.isLucky(0.12) ? [drawLie(dice)] : []),
    ...dice.times(0, 1, () => ({ kind: 'crash' }) as const),
    ...dice.times(
      0,
      1,
      () => ({ kind: 'sleep', sleepMs: dice.whole(500, 15_000), noticeMs: dice.whole(0, 1_000) }) as const,
    ),
    ...dice.times(0, 3, () => ({ kind: 'edit', edit: drawEdit(dice) }) as const),
  ]
  return {
    seed,
    policy,
    replicas: policy === 'retain' && dice.isLucky(0.3) ? dice.whole(1, 2) : 0,
    deletion: !dice.isLucky(0.1),
    knobs: {
      durations: {
        save: dice.whole(0, 500),
        push: dice.whole(0, 3_000),
        remove: dice.whole(0, 300),
        fetch: dice.whole(0, 2_000),
        clone: dice.whole(0, 200),
        boot: dice.whole(0, 1_000),
        fixUp: dice.whole(0, 2_000),
      },
    },
    crashes: dice.times(0, 3, () => ({ write: dice.whole(10, 60), when: dice.oneOf(['before', 'after'] as const) })),
    incidents: incidents
      .map(incident => ({ atMs: dice.whole(0, TROUBLE_MS), incident }))
      .sort((a, b) => a.atMs - b.atMs),
  }
}

function drawEdit(dice: Dice): Extract<Incident, { kind: 'edit' }>['edit'] {
  // A set that is gone ends the story early: not every time.
  const names = EDIT_NAMES.filter(name => name !== 'delete' && name !== 'recreate')
  if (dice.isLucky(0.12)) return dice.oneOf(['delete', 'recreate'])
  return dice.oneOf([names[0] ?? 'back', ...names.slice(1), 'unsuspend', 'wake'])
}

function drawApiFault(dice: Dice): Incident {
  const effect = drawApiEffect(dice)
  const isWatch = effect.kind.endsWith('-watch')
  const verbs = isWatch
    ? ['watch']
    : effect.kind === 'stale'
      ? ['list']
      : ['get', 'list', 'create', 'update', 'patch', 'delete']
  const rule: FaultRule = { users: [OPERATOR], verbs, probability: dice.whole(5, 70) / 100, effect }
  return { kind: 'api', rule, forMs: dice.whole(500, 12_000) }
}

function drawApiEffect(dice: Dice): FaultEffect {
  const draws: readonly [() => FaultEffect, ...(() => FaultEffect)[]] = [
    () => ({ kind: 'status', code: 409, applied: false }),
    () => ({ kind: 'status', code: 429, retryAfterSeconds: dice.whole(1, 3) }),
    () => ({ kind: 'status', code: dice.oneOf([500, 503] as const), applied: dice.isLucky(0.3) }),
    () => ({ kind: 'silence', applied: dice.isLucky(0.5) }),
    () => ({ kind: 'cut', applied: dice.isLucky(0.5) }),
    () => ({ kind: 'delay', delayMs: dice.whole(20, 4_000) }),
    () => ({ kind: 'end-watch', afterEvents: dice.whole(0, 4), how: dice.oneOf(['end', 'cut', 'expire'] as const) }),
    () => ({ kind: 'stall-watch', afterEvents: dice.whole(0, 4) }),
    () => ({ kind: 'delay-watch', delayMs: dice.whole(50, 10_000) }),
  ]
  return dice.oneOf(draws)()
}

function drawRegistryFault(dice: Dice): Incident {
  if (dice.isLucky(0.2)) return { kind: 'registryDown', forMs: dice.whole(500, 12_000) }
  const code = dice.oneOf([403, 405, 429, 500, 503] as const)
  const draws: readonly [() => RegistryFaultRule['effect'], ...(() => RegistryFaultRule['effect'])[]] = [
    () => ({ kind: 'status', code, applied: dice.isLucky(0.3) }),
    () => ({ kind: 'cut', applied: dice.isLucky(0.5) }),
    () => ({ kind: 'silence', applied: dice.isLucky(0.5) }),
    () => ({ kind: 'half' }),
    () => ({ kind: 'delay', delayMs: dice.whole(50, 5_000) }),
  ]
  const methods = dice.isLucky(0.5) ? [dice.oneOf(['HEAD', 'GET', 'PUT', 'DELETE', 'POST'])] : undefined
  const rule = { effect: dice.oneOf(draws)(), probability: dice.whole(20, 100) / 100, ...(methods && { methods }) }
  return { kind: 'registry', rule, forMs: dice.whole(500, 12_000) }
}

const POINTS = [
  'publish',
  'status',
  'look',
  'store',
  'forget',
  'save',
  'push',
  'remove',
  'fetch',
  'clone',
  'fixUp',
] as const

function drawAgentFault(dice: Dice): AgentFault {
  const draws: readonly [() => AgentFault['effect'], ...(() => AgentFault['effect'])[]] = [
    () => ({ kind: 'fail' }),
    () => ({ kind: 'failAfter' }),
    () => ({ kind: 'crash', when: dice.oneOf(['before', 'after'] as const) }),
    () => ({ kind: 'delay', delayMs: dice.whole(100, 10_000) }),
  ]
  return { point: dice.oneOf(POINTS), skip: dice.whole(0, 3), count: dice.whole(1, 2), effect: dice.oneOf(draws)() }
}

function drawNodeTrouble(dice: Dice): Incident {
  const kind = dice.oneOf(['cut', 'cordon'] as const)
  return { kind, node: dice.oneOf(NODES), forMs: dice.whole(1_000, 15_000) }
}

/** A machine burns down; its object goes when somebody notices, or stays. */
function drawDestruction(dice: Dice): Incident {
  const removedAfterMs = dice.isLucky(0.6) ? dice.whole(1_000, 20_000) : undefined
  return { kind: 'destroy', node: dice.oneOf(NODES), removedAfterMs }
}

/** A registry that denies what it holds, as one does that lags behind its own store. */
function drawLie(dice: Dice): Incident {
  const methods = dice.isLucky(0.5) ? [dice.oneOf(['HEAD', 'GET', 'DELETE'])] : ['HEAD', 'GET', 'DELETE']
  const rule = { methods, probability: dice.whole(20, 100) / 100, effect: { kind: 'status', code: 404 } } as const
  return { kind: 'lie', rule, forMs: dice.whole(500, 8_000) }
}
