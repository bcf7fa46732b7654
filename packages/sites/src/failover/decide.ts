/**
 * Whether the groups of a lost site are taken over, and by whom: a value, walked from its first row to its last. Pure.
 * What is uncertain takes nothing over: a site that only cannot be heard may be at work.
 */

export type FailoverPolicy = 'alarm' | 'propose' | 'rehome'

/** What was learnt of the other site on another way than the one between the sites. */
export type SecondView = 'lost' | 'alive' | 'unknown'

export interface FailoverGroup {
  readonly name: string
  /** That a migration would pick. */
  readonly subclouds: number
}

export interface FailoverFacts {
  readonly policy: FailoverPolicy
  readonly isPeerUnavailable: boolean
  /** Led by the lost site, and in no batch of this one. */
  readonly groups: readonly FailoverGroup[]
  /** Batches were begun in this outage already. */
  readonly hasStarted: boolean
  readonly secondView: SecondView
  /** Since when the second way has said `lost` without a break; undefined: it does not. */
  readonly lostSinceMs: number | undefined
  readonly nowMs: number
  readonly holdDownMs: number
  readonly most: { readonly groups: number; readonly subclouds: number }
  /** Without it nobody can begin a migration. */
  readonly hasPassword: boolean
}

export type FailoverDecision =
  /** Nothing is to be taken over. A site that is back gets nothing from here, and takes nothing back. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'hold-back'; readonly reason: string }
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** A person decides. */
  | { readonly kind: 'propose'; readonly reason: string }
  | { readonly kind: 'start' }
  | { readonly kind: 'done' }

interface Rule {
  readonly when: string
  applies(facts: FailoverFacts): boolean
  verdict(facts: FailoverFacts): FailoverDecision
}

const subcloudsOf = ({ groups }: FailoverFacts) => groups.reduce((sum, { subclouds }) => sum + subclouds, 0)
const endOfHoldDown = ({ lostSinceMs, nowMs, holdDownMs }: FailoverFacts) => (lostSinceMs ?? nowMs) + holdDownMs

/** In order; the first that applies decides. */
export const FAILOVER_RULES: readonly Rule[] = [
  {
    when: 'the peer answers, or was never lost',
    applies: ({ isPeerUnavailable }) => !isPeerUnavailable,
    verdict: () => ({ kind: 'rest' }),
  },
  {
    when: 'the policy is to raise an alarm and nothing else',
    applies: ({ policy }) => policy === 'alarm',
    verdict: () => ({ kind: 'rest' }),
  },
  {
    when: 'batches were begun in this outage: what they leave over is for a person',
    applies: ({ hasStarted }) => hasStarted,
    verdict: () => ({ kind: 'done' }),
  },
  {
    when: 'the lost site leads nothing that could be taken in',
    applies: facts => subcloudsOf(facts) === 0,
    verdict: () => ({ kind: 'rest' }),
  },
  {
    when: 'the site is seen alive on another way',
    applies: ({ secondView }) => secondView === 'alive',
    verdict: () => ({
      kind: 'hold-back',
      reason: 'it is alive on its second path: only the link between the sites is lost',
    }),
  },
  {
    when: 'the policy is to propose',
    applies: ({ policy }) => policy === 'propose',
    verdict: ({ secondView }) => ({
      kind: 'propose',
      reason:
        secondView === 'lost' ? 'a second path confirms that it is lost' : 'no second path says whether it is lost',
    }),
  },
  {
    when: 'no second way says that the site is lost',
    applies: ({ secondView }) => secondView === 'unknown',
    verdict: () => ({ kind: 'propose', reason: 'no second path says whether it is lost' }),
  },
  {
    when: 'the hold-down is not over',
    applies: facts => facts.nowMs < endOfHoldDown(facts),
    verdict: facts => ({ kind: 'wait', untilMs: endOfHoldDown(facts) }),
  },
  {
    when: 'more would move than may move without a person',
    applies: facts => facts.groups.length > facts.most.groups || subcloudsOf(facts) > facts.most.subclouds,
    verdict: facts => ({
      kind: 'propose',
      reason: `${facts.groups.length} groups with ${subcloudsOf(facts)} subclouds are more than ${facts.most.groups} groups or ${facts.most.subclouds} subclouds, which may be taken over without a person`,
    }),
  },
  {
    when: 'nobody has given a password for playbooks',
    applies: ({ hasPassword }) => !hasPassword,
    verdict: () => ({ kind: 'propose', reason: 'no password for playbooks is configured' }),
  },
]

export function decideFailover(facts: FailoverFacts): FailoverDecision {
  return FAILOVER_RULES.find(rule => rule.applies(facts))?.verdict(facts) ?? { kind: 'start' }
}
