/** What the agent of the target hub does once a migration. A value: `decide` walks it. */
import { fails, type Guard, holds, nothingToProve, type StageTable, waits } from '@godwit/core'
import type { Remembered } from '../agent/advance.ts'
import { AUTO_APPROVAL_GATE, BOOTSTRAP_ROLES, STAGE_DEADLINE_MS, type StageName } from '../api/index.ts'
import { isPermitted, type Permitted } from '../preflight/guard.ts'

export interface TargetSharedFacts extends Remembered, Permitted {
  readonly hasClusterManager: boolean
  /** Whose certificate requests the hub must approve; undefined until the controller knows. */
  readonly user: string | undefined
  /** The hub approves the user's requests. */
  readonly isApproving: boolean
  /** The hub remembers that a migration relies on that. */
  readonly isRelyingOnApproval: boolean
  /** Which of the known bootstrap ClusterRoles the hub has. */
  readonly bootstrapRole: string | undefined
  /** Which of the three RBAC objects of the migration exist, by name. */
  readonly hasSealingKey: boolean
  readonly rbac: { readonly wanted: readonly string[]; readonly present: readonly string[] }
}

export type TargetSharedEffect =
  | { readonly kind: 'makeSealingKey' }
  | { readonly kind: 'approve'; readonly user: string }
  | { readonly kind: 'disapprove'; readonly user: string }
  | { readonly kind: 'grant' }
  | { readonly kind: 'revoke' }
  | { readonly kind: 'deleteSealingKey' }

type Facts = TargetSharedFacts

const hasClusterManager: Guard<Facts> = {
  what: 'a ClusterManager exists on the target hub',
  check: facts =>
    facts.hasClusterManager
      ? holds
      : fails('HubInvalid', 'no ClusterManager cluster-manager exists on the target hub: install OCM there'),
}

const hasBootstrapRole: Guard<Facts> = {
  what: 'a bootstrap ClusterRole exists on the target hub',
  check: facts =>
    facts.bootstrapRole
      ? holds
      : fails(
          'HubInvalid',
          `none of the ClusterRoles ${BOOTSTRAP_ROLES.join(', ')} exists on the target hub: install OCM there`,
        ),
}

const knowsUser: Guard<Facts> = {
  what: 'the ServiceAccount that clusters bootstrap with is known',
  check: facts => (facts.user ? holds : waits('the ServiceAccount that clusters bootstrap with', 'controller')),
}

const isGranted = ({ rbac }: Facts) => rbac.wanted.every(name => rbac.present.includes(name))

const isReady: Guard<Facts> = {
  what: `the hub approves the migration's ServiceAccount (${AUTO_APPROVAL_GATE}) and it may bootstrap clusters`,
  check: facts =>
    facts.isApproving && isGranted(facts) ? holds : waits('auto-approval and RBAC on the target hub', 'target agent'),
}

const isRevoked: Guard<Facts> = {
  what: "approval and RBAC of the migration's ServiceAccount are gone",
  check: facts => {
    if (facts.rbac.present.length > 0) return waits('RBAC of the migration to go', 'target agent')
    return disapproval(facts).length > 0 ? waits('auto-approval to be taken back', 'target agent') : holds
  },
}

const disapproval = ({ user, isRelyingOnApproval }: Facts): TargetSharedEffect[] =>
  user && isRelyingOnApproval ? [{ kind: 'disapprove', user }] : []

const removal = [
  {
    what: 'take the ServiceAccount out of auto-approval; the last migration restores the feature gate',
    missing: disapproval,
  },
  {
    what: 'delete the RBAC objects of the migration',
    missing: (facts: Facts): TargetSharedEffect[] => (facts.rbac.present.length > 0 ? [{ kind: 'revoke' }] : []),
  },
]

const forgetKey = {
  what: 'delete the sealing key',
  missing: (facts: Facts): TargetSharedEffect[] => (facts.hasSealingKey ? [{ kind: 'deleteSealingKey' }] : []),
}

const keyIsGone: Guard<Facts> = {
  what: 'the sealing key is gone',
  check: facts => (facts.hasSealingKey ? waits('the sealing key to go', 'target agent') : holds),
}

const isCleared: Guard<Facts> = {
  what: `${isRevoked.what}, and so is the sealing key`,
  check: facts => {
    const key = keyIsGone.check(facts)
    return key.kind === 'holds' ? isRevoked.check(facts) : key
  },
}

const idle = (name: StageName) => ({
  name,
  deadlineMs: STAGE_DEADLINE_MS[name],
  guards: [],
  steps: [],
  proof: nothingToProve,
  undo: [],
  undone: nothingToProve,
})

export const targetSharedTable: StageTable<Facts, TargetSharedEffect, StageName> = {
  party: 'target',
  scope: 'shared',
  stages: [
    {
      ...idle('Validating'),
      guards: [isPermitted('the target agent'), hasClusterManager, hasBootstrapRole],
      steps: [
        {
          what: 'publish the key that bundles are sealed for',
          missing: ({ evidence }) => (evidence['sealingKey'] ? [] : [{ kind: 'makeSealingKey' }]),
        },
      ],
      proof: {
        what: 'the sealing key is published',
        check: ({ evidence }) => (evidence['sealingKey'] ? holds : waits('the sealing key', 'target agent')),
      },
      undo: [forgetKey],
      undone: keyIsGone,
    },
    {
      ...idle('Initializing'),
      guards: [hasClusterManager, hasBootstrapRole, knowsUser],
      steps: [
        {
          what: 'switch auto-approval on for the ServiceAccount of the migration',
          missing: facts => (facts.user && !facts.isApproving ? [{ kind: 'approve', user: facts.user }] : []),
        },
        {
          what: 'grant it what a klusterlet needs to bootstrap',
          missing: facts => (isGranted(facts) ? [] : [{ kind: 'grant' }]),
        },
      ],
      proof: isReady,
      undo: removal,
      undone: isRevoked,
    },
    idle('Deploying'),
    idle('Registering'),
    { ...idle('Cleaning'), steps: [...removal, forgetKey], proof: isCleared },
  ],
}
