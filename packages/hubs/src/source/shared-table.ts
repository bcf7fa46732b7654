/** What the agent of the source hub does once a migration. A value: `decide` walks it. */
import { fails, type Guard, holds, nothingToProve, type StageTable, waits } from '@godwit/core'
import type { Remembered } from '../agent/advance.ts'
import { bootstrapSecretName, klusterletConfigName, STAGE_DEADLINE_MS, type StageName } from '../api/index.ts'
import { isPermitted, type Permitted } from '../preflight/guard.ts'

/** An object with a fixed name that a migration makes: ours, somebody else's, or not there. */
export type Presence = 'absent' | 'ours' | 'outdated' | 'foreign'

export interface SourceSharedFacts extends Remembered, Permitted {
  readonly to: string
  readonly hasMultiClusterHub: boolean
  /** Clusters that the placement chose; undefined when the migration names them itself. */
  readonly decisions: readonly string[] | undefined
  readonly placement: string | undefined
  /** The bootstrap kubeconfig lies ready on the global hub. */
  readonly hasCredential: boolean
  readonly bootstrapSecret: Presence
  readonly klusterletConfig: Presence
}

export type SourceSharedEffect =
  | { readonly kind: 'writeBootstrapSecret' }
  | { readonly kind: 'writeKlusterletConfig' }
  | { readonly kind: 'deleteBootstrapSecret' }
  | { readonly kind: 'deleteKlusterletConfig' }

type Facts = SourceSharedFacts

const hasHub: Guard<Facts> = {
  what: 'a MultiClusterHub exists on the source hub',
  check: facts =>
    facts.hasMultiClusterHub
      ? holds
      : fails('HubInvalid', 'no MultiClusterHub exists on the source hub: install one there'),
}

const hasDecisions: Guard<Facts> = {
  what: 'the placement, if one is named, has chosen at least one cluster',
  check: ({ decisions, placement }) =>
    decisions?.length === 0
      ? fails('PlacementEmpty', `placement ${placement} has no decisions on the source hub: nothing would move`)
      : holds,
}

const nameIsFree = (
  what: string,
  name: (to: string) => string,
  presence: (facts: Facts) => Presence,
): Guard<Facts> => ({
  what: `${what} of that name is not somebody else's`,
  check: facts =>
    presence(facts) === 'foreign'
      ? fails(
          'NameTaken',
          `${what} ${name(facts.to)} exists on the source hub and was not made by Godwit: delete it first`,
        )
      : holds,
})

const hasCredential: Guard<Facts> = {
  what: 'the bootstrap kubeconfig of the target hub lies ready',
  check: facts => (facts.hasCredential ? holds : waits('the bootstrap kubeconfig of the target hub', 'controller')),
}

const isPrepared: Guard<Facts> = {
  what: 'bootstrap Secret and KlusterletConfig of the migration are in place',
  check: facts =>
    facts.bootstrapSecret === 'ours' && facts.klusterletConfig === 'ours'
      ? holds
      : waits('bootstrap Secret and KlusterletConfig', 'source agent'),
}

const isCleared: Guard<Facts> = {
  what: 'bootstrap Secret and KlusterletConfig of the migration are gone',
  check: facts =>
    isLeft(facts.bootstrapSecret) || isLeft(facts.klusterletConfig)
      ? waits('bootstrap Secret and KlusterletConfig to go', 'source agent')
      : holds,
}

const isLeft = (presence: Presence) => presence === 'ours' || presence === 'outdated'

const removal = [
  {
    what: 'delete the KlusterletConfig of the migration',
    missing: (facts: Facts): SourceSharedEffect[] =>
      isLeft(facts.klusterletConfig) ? [{ kind: 'deleteKlusterletConfig' }] : [],
  },
  {
    what: 'delete the bootstrap Secret of the migration',
    missing: (facts: Facts): SourceSharedEffect[] =>
      isLeft(facts.bootstrapSecret) ? [{ kind: 'deleteBootstrapSecret' }] : [],
  },
]

const idle = (name: StageName) => ({
  name,
  deadlineMs: STAGE_DEADLINE_MS[name],
  guards: [],
  steps: [],
  proof: nothingToProve,
  undo: [],
  undone: nothingToProve,
})

export const sourceSharedTable: StageTable<Facts, SourceSharedEffect, StageName> = {
  party: 'source',
  scope: 'shared',
  stages: [
    { ...idle('Validating'), guards: [isPermitted('the source agent'), hasHub, hasDecisions] },
    {
      ...idle('Initializing'),
      guards: [
        hasHub,
        hasCredential,
        nameIsFree('Secret', bootstrapSecretName, facts => facts.bootstrapSecret),
        nameIsFree('KlusterletConfig', klusterletConfigName, facts => facts.klusterletConfig),
      ],
      steps: [
        {
          what: 'write the bootstrap Secret for the target hub',
          permit: hasCredential,
          missing: facts => (facts.bootstrapSecret === 'ours' ? [] : [{ kind: 'writeBootstrapSecret' }]),
        },
        {
          what: 'write the KlusterletConfig that names both hubs',
          missing: facts => (facts.klusterletConfig === 'ours' ? [] : [{ kind: 'writeKlusterletConfig' }]),
        },
      ],
      proof: isPrepared,
      undo: removal,
      undone: isCleared,
    },
    idle('Deploying'),
    idle('Registering'),
    { ...idle('Cleaning'), steps: removal, proof: isCleared },
  ],
}
