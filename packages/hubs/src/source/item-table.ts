/** What the agent of the source hub does for one cluster, stage by stage. A value: `decide` walks it. */
import { fails, type Guard, holds, nothingToProve, type StageTable, waits } from '@godwit/core'
import { journalKey, leaseMark, type ObjectRef, recall } from '../agent/facts.ts'
import { annotation, annotations, conditionOf, isTrue, STAGE_DEADLINE_MS, type StageName } from '../api/index.ts'
import {
  carriesConfig,
  claimAnnotations,
  claimOf,
  clusterRef,
  type SourceItemFacts as Facts,
  isAccepted,
  isClaimed,
  isConfigDelivered,
  isLocalCluster,
  STALE_LEASE,
} from './item-facts.ts'

export type SourceItemEffect =
  | {
      readonly kind: 'annotate'
      readonly object: ObjectRef
      readonly annotations: Readonly<Record<string, string | null>>
    }
  | { readonly kind: 'bundle' }
  | { readonly kind: 'deny' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'deleteLease'; readonly uid: string }
  | { readonly kind: 'deleteObservabilityAddon'; readonly name: string }
  | { readonly kind: 'release'; readonly object: ObjectRef }
  | { readonly kind: 'detach'; readonly uid: string }

const IMPORT_CONTROLLER = 'import controller of the source hub'
const KLUSTERLET = 'klusterlet of the managed cluster'
const AGENT = 'source agent'

const isMovable: Guard<Facts> = {
  what: 'the cluster exists, is not hosted, not the local cluster, Available and not itself a hub',
  check: facts => {
    const { cluster, name } = facts
    if (!cluster) return fails('ClusterNotFound', `managed cluster ${name} does not exist on the source hub`)
    if (cluster.metadata.deletionTimestamp)
      return fails('ClusterValidateFailed', `managed cluster ${name} is being deleted`)
    if (annotation(cluster, annotations.deployMode) === 'Hosted')
      return fails(
        'ClusterValidateFailed',
        `managed cluster ${name} is imported in Hosted mode, which cannot be migrated`,
      )
    if (isLocalCluster(facts)) return fails('ClusterValidateFailed', `managed cluster ${name} is the hub itself`)
    if (!isTrue(conditionOf(cluster, 'ManagedClusterConditionAvailable')))
      return fails('ClusterValidateFailed', `managed cluster ${name} is not Available: bring it back first`)
    if (annotation(cluster, annotations.onMulticlusterHub) === 'true')
      return fails('ClusterValidateFailed', `managed cluster ${name} is itself a managed hub`)
    return holds
  },
}

const isUnclaimed: Guard<Facts> = {
  what: 'no other migration claims the cluster',
  check: facts => {
    const claim = claimOf(facts)
    if (claim === undefined || claim === facts.migrationUid) return holds
    return fails('ClusterConflict', `managed cluster ${facts.name} belongs to another migration (uid ${claim})`)
  },
}

const configDelivered: Guard<Facts> = {
  what: 'the two-hub configuration has reached the managed cluster',
  check: facts =>
    isConfigDelivered(facts)
      ? holds
      : waits('the two-hub configuration to reach the managed cluster', IMPORT_CONTROLLER),
}

const initialized: Guard<Facts> = {
  what: 'the cluster is claimed, its two-hub configuration delivered, imports and provisioning stand still',
  check: facts => {
    if (!hasAll(facts, claimAnnotations(facts))) return waits('the claim of the cluster', AGENT)
    const delivered = configDelivered.check(facts)
    if (delivered.kind !== 'holds') return delivered
    if (annotation(facts.cluster, annotations.disableAutoImport) === undefined)
      return waits('imports to be held back', AGENT)
    return facts.pausables.every(object => object.value === 'true') ? holds : waits('provisioning to be paused', AGENT)
  },
}

const isBundled: Guard<Facts> = {
  what: 'the resources of the cluster lie sealed in a bundle',
  check: ({ evidence }) =>
    evidence['bundle'] && evidence['digest'] ? holds : waits('the resources to be collected and sealed', AGENT),
}

const isSealable: Guard<Facts> = {
  what: 'the key of the target agent is known',
  check: facts => (facts.sealTo ? holds : waits('the key of the target agent', 'target agent')),
}

const notClaimed = (facts: Facts) =>
  fails('ClusterConflict', `managed cluster ${facts.name} is not claimed by this migration any more`)

const mayDeny: Guard<Facts> = {
  what: 'the cluster is claimed by this migration, its two-hub configuration delivered and still in its work',
  check: facts => {
    if (!isClaimed(facts)) return notClaimed(facts)
    const delivered = configDelivered.check(facts)
    if (delivered.kind !== 'holds') return delivered
    return carriesConfig(facts)
      ? holds
      : waits('the two-hub configuration to be in the klusterlet work', IMPORT_CONTROLLER)
  },
}

const isDenied: Guard<Facts> = {
  what: 'the source hub denies the cluster',
  check: facts => (facts.cluster && !isAccepted(facts) ? holds : waits('the source hub to deny the cluster', AGENT)),
}

const mayDetach: Guard<Facts> = {
  what: 'the cluster is claimed by this migration and denied here',
  check: facts =>
    isClaimed(facts) && !isAccepted(facts)
      ? holds
      : fails(
          'ClusterConflict',
          `managed cluster ${facts.name} was taken back on the source hub: decide which hub owns it`,
        ),
}

const isGone: Guard<Facts> = {
  what: 'ManagedCluster and namespace are gone from the source hub',
  check: ({ cluster, hasNamespace, name }) => {
    if (cluster) return waits('the ManagedCluster to go from the source hub', IMPORT_CONTROLLER)
    return hasNamespace ? waits(`namespace ${name} to go from the source hub`, IMPORT_CONTROLLER) : holds
  },
}

/** Back on the source by evidence newer than the rollback: a lease seen renewed since, not a leftover status (H-53). */
const isBack: Guard<Facts> = {
  what: 'the klusterlet has renewed its lease on the source hub since the rollback',
  check: facts => {
    if (!facts.cluster) return fails('ClusterNotFound', `managed cluster ${facts.name} is gone from the source hub`)
    if (!isAccepted(facts)) return waits('the source hub to accept the cluster', AGENT)
    if (facts.evidence['denied'] === undefined) return holds
    const before = facts.evidence['leaseAtRollback']
    const isRenewed = before !== undefined && leaseMark(facts.lease) !== before
    const isAvailable = isTrue(conditionOf(facts.cluster, 'ManagedClusterConditionAvailable'))
    return isRenewed && isAvailable ? holds : waits('the klusterlet to come back to the source hub', KLUSTERLET)
  },
}

export const sourceItemTable: StageTable<Facts, SourceItemEffect, StageName> = {
  party: 'source',
  scope: 'item',
  stages: [
    {
      name: 'Validating',
      deadlineMs: STAGE_DEADLINE_MS.Validating,
      guards: [isMovable, isUnclaimed],
      steps: [],
      proof: nothingToProve,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Initializing',
      deadlineMs: STAGE_DEADLINE_MS.Initializing,
      guards: [isMovable, isUnclaimed],
      steps: [
        {
          what: 'claim the ManagedCluster and point it to the KlusterletConfig of the migration',
          missing: facts =>
            hasAll(facts, claimAnnotations(facts)) ? [] : [annotateCluster(facts, claimAnnotations(facts))],
        },
        {
          what: 'hold back imports by annotation disable-auto-import',
          // In this order only: held back earlier, the import controller would never deliver the configuration (H-31).
          permit: configDelivered,
          missing: facts =>
            annotation(facts.cluster, annotations.disableAutoImport) === undefined
              ? [annotateCluster(facts, { [annotations.disableAutoImport]: '' })]
              : [],
        },
        {
          what: 'pause Hive and Metal3 for the objects of the cluster',
          missing: facts =>
            facts.pausables
              .filter(object => object.value !== 'true')
              .map(object => ({ kind: 'annotate', object: object.ref, annotations: { [object.key]: 'true' } })),
        },
      ],
      proof: initialized,
      undo: [
        {
          what: 'give Hive and Metal3 their former pause annotations back',
          missing: facts =>
            facts.pausables.flatMap(object => restorePause(facts, object.ref, object.key, object.value)),
        },
        {
          what: 'give the ManagedCluster its former annotations back and drop the claim',
          missing: facts => restoreCluster(facts),
        },
      ],
      undone: nothingToProve,
    },
    {
      name: 'Deploying',
      deadlineMs: STAGE_DEADLINE_MS.Deploying,
      guards: [isSealable],
      steps: [{ what: 'collect, clean and seal the resources of the cluster', missing: () => [{ kind: 'bundle' }] }],
      proof: isBundled,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Registering',
      deadlineMs: STAGE_DEADLINE_MS.Registering,
      guards: [mayDeny],
      steps: [
        {
          what: 'set hubAcceptsClient to false',
          permit: mayDeny,
          missing: facts => (isAccepted(facts) ? [{ kind: 'deny' }] : []),
        },
      ],
      proof: isDenied,
      undo: [
        {
          what: 'set hubAcceptsClient to true',
          missing: facts => (facts.cluster && !isAccepted(facts) ? [{ kind: 'accept' }] : []),
        },
        {
          what: 'delete the stale lease, so that the returning klusterlet does not time out at once',
          missing: facts =>
            facts.lease?.metadata.uid && recall(facts.journal, STALE_LEASE) === facts.lease.metadata.uid
              ? [{ kind: 'deleteLease', uid: facts.lease.metadata.uid }]
              : [],
        },
      ],
      undone: isBack,
    },
    {
      name: 'Cleaning',
      deadlineMs: STAGE_DEADLINE_MS.Cleaning,
      guards: [],
      steps: [
        {
          what: 'delete ObservabilityAddons of the cluster',
          permit: mayDetach,
          missing: facts => facts.observabilityAddons.map(name => ({ kind: 'deleteObservabilityAddon', name })),
        },
        {
          what: 'delete the moved Hive and Metal3 objects without deprovisioning anything',
          permit: mayDetach,
          missing: facts => facts.pausables.map(object => ({ kind: 'release', object: object.ref })),
        },
        {
          what: 'delete the ManagedCluster',
          permit: mayDetach,
          missing: ({ cluster }) =>
            cluster?.metadata.uid && !cluster.metadata.deletionTimestamp
              ? [{ kind: 'detach', uid: cluster.metadata.uid }]
              : [],
        },
      ],
      proof: isGone,
      undo: [],
      undone: nothingToProve,
    },
  ],
}

function hasAll(facts: Facts, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => annotation(facts.cluster, key) === value)
}

const annotateCluster = (facts: Facts, wanted: Readonly<Record<string, string | null>>): SourceItemEffect => ({
  kind: 'annotate',
  object: clusterRef(facts),
  annotations: wanted,
})

/** Only a value that is still ours is put back: what somebody else wrote since then stays (law 6). */
function restorePause(facts: Facts, ref: ObjectRef, key: string, value: string | undefined): SourceItemEffect[] {
  const before = recall(facts.journal, journalKey(ref, key))
  if (before === undefined || value !== 'true' || before === value) return []
  return [{ kind: 'annotate', object: ref, annotations: { [key]: before } }]
}

function restoreCluster(facts: Facts): SourceItemEffect[] {
  if (!facts.cluster || !isClaimed(facts)) return []
  const restored: Record<string, string | null> = {}
  for (const [key, ours] of Object.entries({ ...claimAnnotations(facts), [annotations.disableAutoImport]: '' })) {
    const before = recall(facts.journal, journalKey(clusterRef(facts), key))
    if (before !== undefined && annotation(facts.cluster, key) === ours) restored[key] = before
  }
  return [annotateCluster(facts, { ...restored, [annotations.migration]: null })]
}
