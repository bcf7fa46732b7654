/** What the controller does once a migration, from its turn in the queue to the last trace removed. A value. */
import { fails, type Guard, holds, nothingToProve, type StageTable, type Step, waits } from '@godwit/core'
import {
  annotation,
  annotations,
  conditionOf,
  isTrue,
  labels,
  MANAGED_SERVICE_ACCOUNT_ADDON,
  MAX_ITEMS,
  type Role,
  STAGE_DEADLINE_MS,
  type StageName,
  stageIndex,
  type Wish,
} from '../api/index.ts'
import { isPermitted } from '../preflight/guard.ts'
import { CANCELLED } from './give-up.ts'
import { hasReached, hasUndone, isOutdated } from './item-table.ts'
import type { MigrationFacts as Facts, HubFacts, SharedSide } from './migration-facts.ts'

export const SHARED_STAGES = [
  'Pending',
  'Validating',
  'Claiming',
  'Initializing',
  'Moving',
  'Revoking',
  'Retiring',
] as const
export type SharedStage = (typeof SHARED_STAGES)[number]

export type SharedEffect =
  | { readonly kind: 'wishShared'; readonly side: Role; readonly wish: Wish }
  | { readonly kind: 'makeItemTasks' }
  | { readonly kind: 'makeServiceAccount' }
  | { readonly kind: 'writeCredential' }
  | { readonly kind: 'deleteServiceAccount' }
  | { readonly kind: 'deleteCredential' }
  | { readonly kind: 'writeResult' }
  | { readonly kind: 'deleteBundles' }
  | { readonly kind: 'deleteTasks' }

const sideOf = (facts: Facts, role: Role) => (role === 'Source' ? facts.source : facts.target)
const agentOf = (side: SharedSide) => `agent of hub ${side.hub}`

// ---- what a migration must look like ------------------------------------------------------------------------------

const rivalVerdict = ({ rival }: Facts) =>
  rival === undefined ? holds : waits(`migration ${rival.name} to finish, which ${rival.shares}`, rival.name)

const isMyTurn: Guard<Facts> = {
  what: 'no earlier migration between the same hubs, or with one of the same clusters, is open',
  check: rivalVerdict,
}

/** A placement says only now which clusters they are; those that were named are claimed since the turn came. */
const isUnclaimed: Guard<Facts> = {
  what: 'no other open migration has one of the clusters',
  check: rivalVerdict,
}

/** The API refuses most of this already; a CRD of the reference, or an object stored before, lets it through. */
const isWellFormed: Guard<Facts> = {
  what: 'from and to are two named hubs, and clusters are named once each or chosen by a placement',
  check: ({ migration: { spec } }) => {
    if (!spec?.from) return fails('SpecInvalid', 'spec.from is empty: name the source hub')
    if (!spec.to) return fails('SpecInvalid', 'spec.to is empty: name the target hub')
    if (spec.from === spec.to)
      return fails('SpecInvalid', `spec.from and spec.to are both ${spec.to}: name two different hubs`)
    const names = spec.includedManagedClusters
    if (names === undefined && !spec.includedManagedClustersPlacementRef)
      return fails(
        'SpecInvalid',
        'neither includedManagedClusters nor includedManagedClustersPlacementRef is given: name what to move',
      )
    if (names?.length === 0)
      return fails('SpecInvalid', 'spec.includedManagedClusters is empty: name the clusters to move')
    const twice = names?.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) return fails('SpecInvalid', `spec.includedManagedClusters names ${twice} twice`)
    if ((names?.length ?? 0) > MAX_ITEMS)
      return fails('SpecInvalid', `more than ${MAX_ITEMS} clusters: split the migration`)
    return holds
  },
}

const isHub = (which: 'from' | 'to'): Guard<Facts> => ({
  what: `hub \`${which}\` exists, is Available and is a managed hub`,
  check: facts => hubVerdict(facts[which]),
})

function hubVerdict({ name, cluster, hasLocalAgent }: HubFacts) {
  if (!cluster)
    return fails(
      'HubClusterInvalid',
      `hub ${name} not found: there is no ManagedCluster of that name on the global hub`,
    )
  if (!isTrue(conditionOf(cluster, 'ManagedClusterConditionAvailable')))
    return fails('HubClusterInvalid', `hub ${name} is not ready: its ManagedCluster is not Available`)
  const isManagedHub = annotation(cluster, annotations.onMulticlusterHub) === 'true'
  const isGlobalHub = cluster.metadata.labels?.[labels.localCluster] === 'true' && hasLocalAgent
  if (isManagedHub || isGlobalHub) return holds
  return fails('HubClusterInvalid', `${name} is not a managed hub: no Global Hub agent runs there`)
}

const hasAddon: Guard<Facts> = {
  what: `add-on ${MANAGED_SERVICE_ACCOUNT_ADDON} is installed for the target hub, or its namespace is given`,
  check: ({ installNamespace, to }) =>
    installNamespace === undefined
      ? fails(
          'AddonMissing',
          `ManagedClusterAddOn ${to.name}/${MANAGED_SERVICE_ACCOUNT_ADDON} does not exist: enable the add-on for hub ${to.name}`,
        )
      : holds,
}

const hasServerUrl: Guard<Facts> = {
  what: 'the target hub has a server URL in its client configs',
  check: ({ to }) =>
    to.cluster?.spec?.managedClusterClientConfigs?.[0]?.url
      ? holds
      : fails(
          'HubClusterInvalid',
          `hub ${to.name} has no managedClusterClientConfigs: klusterlets would not know where to go`,
        ),
}

// ---- what the parties report --------------------------------------------------------------------------------------

function sideVerdict(side: SharedSide, isDone: boolean, direction: Wish['direction'], what: string) {
  if (isDone) return holds
  const { progress } = side
  if (progress?.state === 'Failed' && progress.direction === direction && !isOutdated(side.wish, progress))
    return fails(progress.code ?? 'Unknown', progress.message ?? `the ${agentOf(side)} failed without a reason`)
  return waits(progress?.waitsFor ?? what, progress?.who ?? agentOf(side))
}

function bothSides(direction: Wish['direction'], stage: StageName, what: string, awaited: string): Guard<Facts> {
  const isDone = (side: SharedSide) =>
    direction === 'Forward'
      ? hasReached(side.progress, stage)
      : side.task === undefined || hasUndone(side.progress, stage)
  return {
    what,
    check: facts => {
      const verdicts = [facts.source, facts.target].map(side => sideVerdict(side, isDone(side), direction, awaited))
      return verdicts.find(v => v.kind === 'fails') ?? verdicts.find(v => v.kind === 'waits') ?? holds
    },
  }
}

const sharedValidated = bothSides(
  'Forward',
  'Validating',
  'both hubs have what a migration needs',
  'both agents to look whether their hubs have what a migration needs',
)
const sharedInitialized = bothSides(
  'Forward',
  'Initializing',
  'credentials, approval and RBAC are in place on both hubs',
  'credentials, approval and RBAC on both hubs',
)
const sharedCleaned = bothSides(
  'Forward',
  'Cleaning',
  'credentials, approval and RBAC are gone from both hubs',
  'credentials, approval and RBAC to go from both hubs',
)

const areClustersKnown: Guard<Facts> = {
  what: 'the clusters are known',
  check: ({ clusters, source }) => (clusters ? holds : waits('the clusters that the placement chose', agentOf(source))),
}

const isValidated: Guard<Facts> = {
  what: 'every cluster may move',
  check: facts => {
    const failed = facts.items.filter(isRefused)
    if (failed.length > 0) return refusal(facts, failed.length)
    const open = facts.items.find(item => !isAnswered(item))
    if (facts.clusters === undefined || facts.unassigned > 0 || open)
      return waits('every cluster to be validated on both hubs', 'agents of both hubs')
    return holds
  },
}

/** A cluster that somebody took out of the migration does not refuse it. */
const isRefused = ({ source }: Facts['items'][number]) =>
  source.wish?.failure !== undefined && source.wish.failure.code !== CANCELLED
const isAnswered = (item: Facts['items'][number]) => item.source.wish?.failure !== undefined || isItemValidated(item)
const isItemValidated = ({ source, target }: Facts['items'][number]) =>
  hasReached(source.progress, 'Validating') && hasReached(target.progress, 'Validating')

/** One cluster that cannot move refuses the migration as a whole, before anything is changed anywhere. */
function refusal(facts: Facts, count: number) {
  // Say it only when all have answered, so that every cluster's reason is told at once.
  const isOpen = facts.items.some(item => !isAnswered(item))
  if (facts.unassigned > 0 || isOpen) return waits('every cluster to be validated on both hubs', 'agents of both hubs')
  const failures = facts.items.filter(isRefused).flatMap(({ source }) => source.wish?.failure ?? [])
  const shown = failures.slice(0, 5).map(({ message }) => message)
  const more = count > shown.length ? `; and ${count - shown.length} more, see the result ConfigMap` : ''
  return fails(
    failures[0]?.code ?? 'ClusterValidateFailed',
    `${count} of ${facts.items.length} clusters cannot move: ${shown.join('; ')}${more}`,
  )
}

const isServiceAccountFree: Guard<Facts> = {
  what: "no ManagedServiceAccount of that name is somebody else's",
  check: ({ serviceAccount, uid, to, migration }) => {
    const owner = annotation(serviceAccount, annotations.migration)
    return serviceAccount && owner !== uid
      ? fails(
          'NameTaken',
          `ManagedServiceAccount ${to.name}/${migration.metadata.name} exists and was not made by this migration: delete it or rename the migration`,
        )
      : holds
  },
}

const hasToken: Guard<Facts> = {
  what: 'the token of the ManagedServiceAccount lies ready',
  check: ({ token, to, migration }) =>
    token?.data?.['token']
      ? holds
      : waits(`token Secret ${to.name}/${migration.metadata.name}`, `managed-serviceaccount add-on of hub ${to.name}`),
}

const isSettled: Guard<Facts> = {
  what: 'every cluster has arrived, or is back where it was',
  check: ({ items }) => {
    const open = items.filter(item => item.source.wish?.outcome === undefined).length
    return open === 0 ? holds : waits(`${open} clusters`, 'agents of both hubs')
  },
}

/** The code of a clean-up that stops because clusters may still need what it would take away. */
export const CREDENTIAL_IN_USE = 'CredentialInUse'

/** While a cluster may still need the migration's credential it is kept: without it the cluster would be lost (H-32). */
const isCredentialUnused: Guard<Facts> = {
  what: 'no cluster needs the credential of the migration any more',
  check: ({ items }) => {
    const users = items.filter(
      ({ source, target }) => source.wish?.outcome === 'Completed' && !hasReached(target.progress, 'Cleaning'),
    )
    const stuck = items.filter(({ source }) => source.wish?.outcome === 'Stuck')
    const [first] = [...users, ...stuck]
    return first === undefined
      ? holds
      : fails(
          CREDENTIAL_IN_USE,
          `${users.length + stuck.length} clusters may still need the credential of the migration, for instance ${first.name}`,
        )
  },
}

const isGone: Guard<Facts> = {
  what: 'ManagedServiceAccount, token and credential are gone',
  check: facts => {
    if (facts.serviceAccount || facts.token)
      return waits('the ManagedServiceAccount and its token to go', 'managed-serviceaccount add-on')
    return facts.hasCredential ? waits('the credential Secret to go', 'controller') : holds
  },
}

const isRetired: Guard<Facts> = {
  what: 'no task and no bundle of the migration is left on the global hub',
  check: ({ leftovers }) =>
    leftovers.tasks + leftovers.bundles === 0 ? holds : waits('tasks and bundles to go', 'controller'),
}

const isUndoing = ({ progress }: Facts['items'][number]['target']) =>
  progress?.direction === 'Undo' && progress.state !== 'Done'

/** Without its task the agent would never finish what its hub was too slow for, and nobody would know of it. */
const isCleaned: Guard<Facts> = {
  what: 'what could not be cleaned up in time is cleaned up by now, and what was taken back has stayed away',
  check: ({ items }) => {
    const owing = items.filter(({ source }) => source.wish?.outcome === 'Completed' && source.wish.residue?.length)
    const returned = items.filter(({ source, target }) => source.wish?.outcome === 'RolledBack' && isUndoing(target))
    const [first] = [
      ...owing.map(({ name, source }) => ({ name, ...source.progress })),
      ...returned.map(({ name, target }) => ({ name, ...target.progress })),
    ].sort((a, b) => Number(b.state === 'Failed') - Number(a.state === 'Failed'))
    if (!first) return holds
    if (first.state === 'Failed') return fails(first.code ?? 'Internal', `cluster ${first.name}: ${first.message}`)
    return waits(`the clean-up of ${owing.length + returned.length} clusters`, 'agents of both hubs')
  },
}

function both(...guards: readonly Guard<Facts>[]): Guard<Facts> {
  return {
    what: guards.map(guard => guard.what).join('; '),
    check: facts => guards.map(guard => guard.check(facts)).find(verdict => verdict.kind !== 'holds') ?? holds,
  }
}

// ---- steps --------------------------------------------------------------------------------------------------------

function wishShared(side: Role, stage: StageName, permit?: Guard<Facts>): Step<Facts, SharedEffect> {
  return {
    what: `wish ${stage} of the ${side.toLowerCase()} hub`,
    ...(permit && { permit }),
    missing: facts => {
      const { wish } = sideOf(facts, side)
      const isWished = wish?.direction === 'Forward' && stageIndex(wish.stage) >= stageIndex(stage)
      return isWished ? [] : [{ kind: 'wishShared', side, wish: { stage, direction: 'Forward' } }]
    },
  }
}

function wishUndo(side: Role, stage: StageName): Step<Facts, SharedEffect> {
  return {
    what: `wish ${stage} of the ${side.toLowerCase()} hub undone`,
    missing: facts => {
      const { wish, task } = sideOf(facts, side)
      const { attempt } = facts
      const isWished =
        wish?.direction === 'Undo' && stageIndex(wish.stage) <= stageIndex(stage) && (wish.attempt ?? 0) >= attempt
      if (isWished || !task) return []
      return [{ kind: 'wishShared', side, wish: { stage, direction: 'Undo', ...(attempt > 0 && { attempt }) } }]
    },
  }
}

const revocation: readonly Step<Facts, SharedEffect>[] = [
  {
    what: 'delete the ManagedServiceAccount of the migration, which makes its token invalid',
    permit: isServiceAccountFree,
    missing: facts =>
      facts.serviceAccount && !facts.serviceAccount.metadata.deletionTimestamp
        ? [{ kind: 'deleteServiceAccount' }]
        : [],
  },
  {
    what: 'delete the credential Secret of the source agent',
    missing: facts => (facts.hasCredential ? [{ kind: 'deleteCredential' }] : []),
  },
]

const recordResult: Step<Facts, SharedEffect> = {
  // Before any task goes: afterwards nobody could tell any more how each cluster ended.
  what: 'write the outcome of every cluster into the result ConfigMap',
  missing: facts => (facts.isResultWritten ? [] : [{ kind: 'writeResult' }]),
}

const retirement: readonly Step<Facts, SharedEffect>[] = [
  {
    what: 'delete the bundles of the migration',
    missing: facts => (facts.leftovers.bundles > 0 ? [{ kind: 'deleteBundles' }] : []),
  },
  {
    what: 'delete the tasks of the migration',
    permit: isCleaned,
    missing: facts => (facts.leftovers.tasks > 0 ? [{ kind: 'deleteTasks' }] : []),
  },
]

const isRecorded: Guard<Facts> = {
  what: 'the result ConfigMap tells how every cluster ended',
  check: facts => (facts.isResultWritten ? holds : waits('the result ConfigMap', 'controller')),
}

const NO_DEADLINE = Number.POSITIVE_INFINITY

export const controllerSharedTable: StageTable<Facts, SharedEffect, SharedStage> = {
  party: 'controller',
  scope: 'shared',
  stages: [
    {
      name: 'Pending',
      deadlineMs: NO_DEADLINE,
      guards: [],
      steps: [],
      proof: isMyTurn,
      undo: [recordResult],
      undone: isRecorded,
    },
    {
      name: 'Validating',
      deadlineMs: STAGE_DEADLINE_MS.Validating,
      guards: [
        isPermitted('the controller'),
        isWellFormed,
        isHub('from'),
        isHub('to'),
        hasAddon,
        hasServerUrl,
        isServiceAccountFree,
      ],
      steps: [wishShared('Source', 'Validating'), wishShared('Target', 'Validating')],
      proof: both(sharedValidated, areClustersKnown),
      undo: [recordResult, wishUndo('Source', 'Validating'), wishUndo('Target', 'Validating')],
      undone: both(
        isRecorded,
        bothSides(
          'Undo',
          'Validating',
          'both agents have put away what they kept for the migration',
          'both agents to put away what they kept',
        ),
      ),
    },
    {
      name: 'Claiming',
      // It may wait for other migrations; the clusters have deadlines of their own.
      deadlineMs: NO_DEADLINE,
      guards: [isUnclaimed],
      steps: [
        {
          what: 'assign every cluster to a task on both sides',
          missing: facts => (facts.clusters === undefined || facts.unassigned > 0 ? [{ kind: 'makeItemTasks' }] : []),
        },
      ],
      proof: isValidated,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Initializing',
      deadlineMs: STAGE_DEADLINE_MS.Initializing,
      guards: [hasServerUrl, isServiceAccountFree],
      steps: [
        {
          what: 'make the ManagedServiceAccount of the migration on the target hub',
          missing: facts => (facts.serviceAccount ? [] : [{ kind: 'makeServiceAccount' }]),
        },
        wishShared('Target', 'Initializing'),
        {
          what: 'write the bootstrap kubeconfig into the namespace of the source hub',
          permit: hasToken,
          missing: facts => (facts.hasCredential ? [] : [{ kind: 'writeCredential' }]),
        },
        wishShared('Source', 'Initializing'),
      ],
      proof: sharedInitialized,
      undo: [wishUndo('Source', 'Initializing'), wishUndo('Target', 'Initializing'), ...revocation],
      undone: both(
        bothSides(
          'Undo',
          'Initializing',
          'credentials, approval and RBAC are gone from both hubs',
          'credentials, approval and RBAC to go from both hubs',
        ),
        isGone,
      ),
    },
    {
      name: 'Moving',
      deadlineMs: NO_DEADLINE,
      guards: [],
      steps: [],
      proof: isSettled,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Revoking',
      deadlineMs: STAGE_DEADLINE_MS.Cleaning,
      // No guard: how every cluster ended is told also when one of them keeps the credential in use.
      guards: [],
      steps: [
        recordResult,
        wishShared('Source', 'Cleaning', isCredentialUnused),
        wishShared('Target', 'Cleaning', isCredentialUnused),
        ...revocation.map(step => ({
          ...step,
          permit: step.permit ? both(isCredentialUnused, step.permit) : isCredentialUnused,
        })),
      ],
      proof: both(isRecorded, sharedCleaned, isGone),
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Retiring',
      deadlineMs: STAGE_DEADLINE_MS.Cleaning,
      guards: [],
      steps: retirement,
      proof: isRetired,
      undo: [],
      undone: nothingToProve,
    },
  ],
}
