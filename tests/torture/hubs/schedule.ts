/** What goes wrong in a run, drawn from its seed: the same seed, the same misfortune. Pure. */
import type { FaultEffect, FaultRule } from '@godwit/kube-server'
import { type Random, seededRandom } from '@godwit/ports'
import { type CrashTime, clusterName, type FleetKnobs, type ImportControllerMode } from '@godwit/simulation'
import type { Stranger } from './incidents.ts'
import { PARTIES, type PartyName, SERVERS, type ServerName, userOf } from './world-image.ts'

export type Incident =
  | { readonly kind: 'fault'; readonly server: ServerName; readonly rule: FaultRule; readonly forMs: number }
  | { readonly kind: 'sleep'; readonly party: PartyName; readonly sleepMs: number; readonly noticeMs: number }
  | { readonly kind: 'crash'; readonly party: PartyName }
  | { readonly kind: 'restartPod'; readonly cluster: string }
  | { readonly kind: 'deleteMigration' | 'cancel' }
  | { readonly kind: 'cancelOne'; readonly cluster: string }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'rights'; readonly party: PartyName; readonly server: ServerName; readonly forMs: number }
  | { readonly kind: 'stranger'; readonly which: Stranger }
  | { readonly kind: 'clock'; readonly party: PartyName; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'timeTravel'; readonly party: PartyName; readonly server: ServerName; readonly versions: number }
  | { readonly kind: 'deleteTask' | 'deleteBundle'; readonly nth: number }

export interface Schedule {
  readonly seed: number
  readonly count: number
  readonly knobs: Partial<FleetKnobs>
  readonly stageTimeout: string | undefined
  readonly crashes: readonly { readonly party: PartyName; readonly write: number; readonly when: CrashTime }[]
  readonly incidents: readonly { readonly atMs: number; readonly incident: Incident }[]
}

/** Of managed clusters: two are enough to be in each other's way. */
const COUNTS = [1, 1, 2, 3] as const

/** Misfortune begins this early; what lasts is over by `CALM_AT_MS`. */
const TROUBLE_MS = 20_000
export const CALM_AT_MS = 45_000

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
  const dice = new Dice(seededRandom(seed * 7919 + 17))
  const count = dice.oneOf(COUNTS)
  const knobs = drawKnobs(dice, count)
  const incidents = [
    ...dice.times(0, 4, () => drawFault(dice)),
    ...dice.times(0, 2, () => drawSleep(dice)),
    ...dice.times(0, 2, () => ({ kind: 'crash', party: dice.oneOf(PARTIES) }) as const),
    ...dice.times(0, 2, () => ({ kind: 'restartPod', cluster: clusterName('cluster', dice.whole(1, count)) }) as const),
    ...(dice.isLucky(0.3) ? [drawEdit(dice, count)] : []),
    ...(dice.isLucky(0.4) ? [drawTrouble(dice)] : []),
  ]
  return {
    seed,
    count,
    knobs,
    // Who waits for a cluster that cannot come waits for its deadline: nothing happens until then.
    stageTimeout: dice.isLucky(isHopeless(knobs) ? 0.9 : 0.3) ? `${dice.whole(20, 120)}s` : undefined,
    crashes: dice.times(0, 4, () => ({
      party: dice.oneOf(PARTIES),
      write: dice.whole(1, 90),
      when: dice.oneOf(['before', 'after'] as const),
    })),
    incidents: incidents
      .map(incident => ({ atMs: dice.whole(0, TROUBLE_MS), incident }))
      .sort((a, b) => a.atMs - b.atMs),
  }
}

const isHopeless = ({ overrides = {} }: Partial<FleetKnobs>) => Object.keys(overrides).length > 0

function drawKnobs(dice: Dice, count: number): Partial<FleetKnobs> {
  const rate = () => (dice.isLucky(0.3) ? dice.whole(1, 30) / 100 : 0)
  const bad = clusterName('cluster', dice.whole(1, count))
  const stubborn = dice.isLucky(0.15) ? { [bad]: { neverAppliesConfig: true } } : {}
  const cutOff = dice.isLucky(0.15) ? { [bad]: { unreachableHubs: ['hub2'] } } : {}
  const modes = ['legacy', 'legacy', 'readOnly', 'frozen'] as const satisfies readonly ImportControllerMode[]
  return {
    hub: { importControllerMode: dice.oneOf(modes) },
    klusterlet: {
      rolloutDelayMs: dice.whole(10, 5_000),
      restartDelayMs: dice.whole(5, 3_000),
      workApplyDelayMs: dice.whole(2, 1_000),
      hubConnectionTimeoutMs: dice.whole(20, 100) * 1_000,
      failures: { apply: rate(), probe: rate(), request: rate(), kill: rate() / 10 },
    },
    overrides: { ...stubborn, ...cutOff },
  }
}

function drawSleep(dice: Dice): Incident {
  const party = dice.oneOf(PARTIES)
  return { kind: 'sleep', party, sleepMs: dice.whole(500, 20_000), noticeMs: dice.whole(0, 1_000) }
}

/** Tasks and bundles are the record: who deletes them by hand gets what can still be had. */
function drawEdit(dice: Dice, count: number): Incident {
  const kinds = ['deleteMigration', 'deleteTask', 'deleteBundle', 'cancel', 'cancelOne', 'pause'] as const
  const kind = dice.oneOf(kinds)
  switch (kind) {
    case 'deleteMigration':
    case 'cancel':
      return { kind }
    case 'cancelOne':
      return { kind, cluster: clusterName('cluster', dice.whole(1, count)) }
    case 'pause':
      return { kind, forMs: dice.whole(100, 20_000) }
    case 'deleteTask':
    case 'deleteBundle':
      return { kind, nth: dice.whole(0, 5) }
  }
}

const HOUR_MS = 3_600_000
const STRANGERS = ['bootstrapSecret', 'klusterletConfig', 'clusterRole', 'credential'] as const satisfies Stranger[]

/** What neither an API server nor a user does: administrators, other tools, bad clocks and caches. */
function drawTrouble(dice: Dice): Incident {
  const party = dice.oneOf(PARTIES)
  const server = dice.oneOf<ServerName>(['global', ...ownServers(party)])
  const draws: readonly [() => Incident, ...(() => Incident)[]] = [
    () => ({ kind: 'rights', party, server, forMs: dice.whole(100, 20_000) }),
    () => ({ kind: 'stranger', which: dice.oneOf(STRANGERS) }),
    () => ({
      kind: 'clock',
      party,
      byMs: dice.oneOf([-HOUR_MS, HOUR_MS, -60_000, 60_000]),
      forMs: dice.whole(500, 20_000),
    }),
    () => ({ kind: 'timeTravel', party, server, versions: dice.whole(5, 60) }),
  ]
  return dice.oneOf(draws)()
}

const ownServers = (party: PartyName): ServerName[] =>
  party === 'controller' ? [] : [party === 'source' ? 'hub1' : 'hub2']

function drawFault(dice: Dice): Incident {
  const server = dice.oneOf(SERVERS)
  const effect = drawEffect(dice)
  const party = dice.isLucky(0.6) ? dice.oneOf(PARTIES) : undefined
  const rule: FaultRule = {
    users: party === undefined ? PARTIES.map(userOf) : [userOf(party)],
    ...verbsOf(effect),
    probability: dice.whole(5, 60) / 100,
    effect,
  }
  return { kind: 'fault', server, rule, forMs: dice.whole(500, 15_000) }
}

function verbsOf({ kind }: FaultEffect): Pick<FaultRule, 'verbs'> {
  if (kind.endsWith('-watch')) return { verbs: ['watch'] }
  return kind === 'stale' ? { verbs: ['list'] } : { verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'] }
}

function drawEffect(dice: Dice): FaultEffect {
  const draws: readonly [() => FaultEffect, ...(() => FaultEffect)[]] = [
    () => ({ kind: 'status', code: 409, applied: false }),
    () => ({ kind: 'status', code: 429, retryAfterSeconds: dice.whole(1, 5) }),
    () => ({ kind: 'status', code: dice.oneOf([500, 503] as const), applied: dice.isLucky(0.3) }),
    () => ({ kind: 'status', code: 504, applied: true }),
    () => ({ kind: 'silence', applied: dice.isLucky(0.5) }),
    () => ({ kind: 'cut', applied: dice.isLucky(0.5) }),
    () => ({ kind: 'delay', delayMs: dice.whole(20, 4_000) }),
    () => ({ kind: 'stale', versions: dice.whole(1, 30) }),
    () => ({ kind: 'end-watch', afterEvents: dice.whole(0, 4), how: dice.oneOf(['end', 'cut', 'expire'] as const) }),
    () => ({ kind: 'stall-watch', afterEvents: dice.whole(0, 4) }),
    () => ({ kind: 'delay-watch', delayMs: dice.whole(50, 5_000) }),
  ]
  return dice.oneOf(draws)()
}
