/** What the controller does for one cluster: it wishes stages of both sides and waits for their proofs. A value. */
import { fails, type Guard, holds, nothingToProve, type StageTable, type Step, waits } from '@godwit/core'
import {
  type ItemWish,
  type Progress,
  type Role,
  STAGE_DEADLINE_MS,
  type StageName,
  stageIndex,
  type Wish,
} from '../api/index.ts'

export interface Side {
  readonly wish: ItemWish | undefined
  readonly progress: Progress | undefined
  /** Name of the hub, for people. */
  readonly hub: string
}

export interface ItemFacts {
  readonly name: string
  readonly source: Side
  readonly target: Side
  /** Whether the bundle that the source names lies in the target's namespace. */
  readonly isBundleDelivered: (bundle: string) => boolean
}

export type ItemEffect =
  | {
      readonly kind: 'wish'
      readonly side: Role
      readonly wish: Wish
      readonly bundle?: string
      readonly digest?: string
    }
  | { readonly kind: 'deliverBundle'; readonly bundle: string }

const sideOf = (facts: ItemFacts, role: Role) => (role === 'Source' ? facts.source : facts.target)
const agentOf = (side: Side) => `agent of hub ${side.hub}`

/** The side has reached the stage, or gone beyond it. */
export function hasReached(progress: Progress | undefined, stage: StageName): boolean {
  if (progress?.direction !== 'Forward') return false
  const distance = stageIndex(progress.stage) - stageIndex(stage)
  return distance > 0 || (distance === 0 && progress.state === 'Done')
}

/** The side has taken back the stage and everything above it. */
export function hasUndone(progress: Progress | undefined, stage: StageName): boolean {
  if (progress?.direction !== 'Undo') return false
  const distance = stageIndex(progress.stage) - stageIndex(stage)
  return distance < 0 || (distance === 0 && progress.state === 'Done')
}

function failureOf(side: Side, wish: Wish['direction']) {
  const { progress } = side
  if (progress?.state !== 'Failed' || progress.direction !== wish || isOutdated(side.wish, progress)) return undefined
  return fails(
    progress.code ?? 'Unknown',
    progress.message ?? `the ${agentOf(side)} reported a failure without a reason`,
  )
}

/** @param awaited the same as something to wait for: "the source to deny the cluster" */
function reached(role: Role, stage: StageName, what: string, awaited: string): Guard<ItemFacts> {
  return {
    what,
    check: facts => {
      const side = sideOf(facts, role)
      if (hasReached(side.progress, stage)) return holds
      return (
        failureOf(side, 'Forward') ?? waits(side.progress?.waitsFor ?? awaited, side.progress?.who ?? agentOf(side))
      )
    },
  }
}

function undone(stage: StageName, roles: readonly Role[], what: string, awaited: string): Guard<ItemFacts> {
  return {
    what,
    check: facts => {
      const open = roles.map(role => sideOf(facts, role)).filter(side => !hasUndone(side.progress, stage))
      const refused = open.map(side => failureOf(side, 'Undo')).find(failure => failure !== undefined)
      const [first] = open
      if (refused || !first) return refused ?? holds
      return waits(first.progress?.waitsFor ?? awaited, first.progress?.who ?? agentOf(first))
    },
  }
}

function all(...guards: readonly Guard<ItemFacts>[]): Guard<ItemFacts> {
  return {
    what: guards.map(guard => guard.what).join('; '),
    check: facts => {
      const verdicts = guards.map(guard => guard.check(facts))
      return verdicts.find(v => v.kind === 'fails') ?? verdicts.find(v => v.kind === 'waits') ?? holds
    },
  }
}

const isWished = (side: Side, stage: StageName) =>
  side.wish?.direction === 'Forward' && stageIndex(side.wish.stage) >= stageIndex(stage)

const isUndoWished = (side: Side, stage: StageName) =>
  side.wish?.direction === 'Undo' && stageIndex(side.wish.stage) <= stageIndex(stage)

/** A failure that was reported for an earlier attempt has been asked about again. */
export const isOutdated = (wish: Wish | undefined, progress: Progress | undefined) =>
  (wish?.attempt ?? 0) > (progress?.attempt ?? 0)

const wishStage = (role: Role, stage: StageName, permit?: Guard<ItemFacts>): Step<ItemFacts, ItemEffect> => ({
  what: `wish ${stage} of the ${role.toLowerCase()}`,
  ...(permit && { permit }),
  missing: facts =>
    isWished(sideOf(facts, role), stage) ? [] : [{ kind: 'wish', side: role, wish: { stage, direction: 'Forward' } }],
})

const wishUndo = (role: Role, stage: StageName): Step<ItemFacts, ItemEffect> => ({
  what: `wish ${stage} of the ${role.toLowerCase()} undone`,
  missing: facts =>
    isUndoWished(sideOf(facts, role), stage) ? [] : [{ kind: 'wish', side: role, wish: { stage, direction: 'Undo' } }],
})

const ticketOf = ({ source }: ItemFacts) => {
  const { bundle, digest } = source.progress?.evidence ?? {}
  return bundle && digest ? { bundle, digest } : undefined
}

const sourceBundled = reached(
  'Source',
  'Deploying',
  'the source has sealed the resources of the cluster',
  'the source to seal the resources of the cluster',
)
const targetDeployed = reached(
  'Target',
  'Deploying',
  'the target has applied the resources by digest and accepted the cluster',
  'the target to apply the resources and accept the cluster',
)
const sourceDenied = reached('Source', 'Registering', 'the source denies the cluster', 'the source to deny the cluster')
const targetSettled = reached(
  'Target',
  'Cleaning',
  "the klusterlet works with the target hub's own bootstrap",
  "the klusterlet to work with the target hub's own bootstrap",
)

const targetUndone = undone(
  'Deploying',
  ['Target'],
  'the target has deleted what the migration made there',
  'the target to delete what the migration made there',
)

export const controllerItemTable: StageTable<ItemFacts, ItemEffect, StageName> = {
  party: 'controller',
  scope: 'item',
  stages: [
    {
      name: 'Validating',
      deadlineMs: STAGE_DEADLINE_MS.Validating,
      guards: [],
      steps: [wishStage('Source', 'Validating'), wishStage('Target', 'Validating')],
      proof: all(
        reached(
          'Source',
          'Validating',
          'the source has found the cluster movable',
          'the source to look at the cluster',
        ),
        reached(
          'Target',
          'Validating',
          'the target has no cluster of that name',
          'the target to look for a cluster of that name',
        ),
      ),
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Initializing',
      deadlineMs: STAGE_DEADLINE_MS.Initializing,
      guards: [],
      steps: [wishStage('Source', 'Initializing')],
      proof: reached(
        'Source',
        'Initializing',
        'the source has delivered the two-hub configuration and paused what must stand still',
        'the source to deliver the two-hub configuration and pause what must stand still',
      ),
      // With the configuration of both hubs a klusterlet may have gone to the target of itself.
      undo: [wishUndo('Target', 'Deploying'), wishUndo('Source', 'Initializing')],
      undone: all(
        targetUndone,
        undone(
          'Initializing',
          ['Source'],
          'the source has restored the annotations as they were',
          'the source to restore the annotations as they were',
        ),
      ),
    },
    {
      name: 'Deploying',
      deadlineMs: STAGE_DEADLINE_MS.Deploying,
      guards: [],
      steps: [
        wishStage('Source', 'Deploying'),
        {
          what: 'carry the sealed bundle into the namespace of the target hub',
          permit: sourceBundled,
          missing: facts => {
            const ticket = ticketOf(facts)
            if (isWished(facts.target, 'Deploying')) return []
            if (ticket && facts.isBundleDelivered(ticket.bundle)) return []
            return [{ kind: 'deliverBundle', bundle: ticket?.bundle ?? '' }]
          },
        },
        {
          what: 'wish Deploying of the target, naming bundle and digest',
          permit: sourceBundled,
          missing: facts =>
            isWished(facts.target, 'Deploying')
              ? []
              : [
                  {
                    kind: 'wish',
                    side: 'Target',
                    wish: { stage: 'Deploying', direction: 'Forward' },
                    ...ticketOf(facts),
                  },
                ],
        },
      ],
      proof: targetDeployed,
      undo: [wishUndo('Target', 'Deploying')],
      undone: targetUndone,
    },
    {
      name: 'Registering',
      deadlineMs: STAGE_DEADLINE_MS.Registering,
      guards: [targetDeployed],
      steps: [wishStage('Source', 'Registering', targetDeployed), wishStage('Target', 'Registering', sourceDenied)],
      proof: reached(
        'Target',
        'Registering',
        'the klusterlet is alive on the target, by evidence newer than the switch',
        'the klusterlet to come alive on the target',
      ),
      undo: [wishUndo('Source', 'Registering'), wishUndo('Target', 'Registering')],
      undone: undone(
        'Registering',
        ['Source', 'Target'],
        'the klusterlet is back on the source, by evidence newer than the rollback',
        'the klusterlet to come back to the source',
      ),
    },
    {
      name: 'Cleaning',
      deadlineMs: STAGE_DEADLINE_MS.Cleaning,
      guards: [],
      steps: [wishStage('Target', 'Cleaning'), wishStage('Source', 'Cleaning', targetSettled)],
      proof: reached('Source', 'Cleaning', 'the cluster is gone from the source', 'the cluster to go from the source'),
      undo: [],
      undone: nothingToProve,
    },
  ],
}
