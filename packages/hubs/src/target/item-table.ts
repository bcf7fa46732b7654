/** What the agent of the target hub does for one cluster, stage by stage. A value: `decide` walks it. */
import { fails, type Guard, holds, nothingToProve, type StageTable, type Step, waits } from '@godwit/core'
import { isApplied } from '../agent/facts.ts'
import { annotation, annotations, conditionOf, isTrue, STAGE_DEADLINE_MS, type StageName } from '../api/index.ts'
import {
  type TargetItemFacts as Facts,
  hasCome,
  hasJoined,
  isIntroduced,
  isOurs,
  isTakenOver,
  mayBeIntroduced,
  usesOwnBootstrap,
} from './item-facts.ts'

export type TargetItemEffect =
  | { readonly kind: 'adopt'; readonly resourceVersion: string }
  | { readonly kind: 'applyBundle'; readonly secret: string; readonly digest: string }
  | { readonly kind: 'enableAutoImport' }
  | { readonly kind: 'unmark' }
  | { readonly kind: 'deny' }
  | { readonly kind: 'withdraw' }

const AGENT = 'target agent'
const REGISTRATION = 'registration controller of the target hub'
const KLUSTERLET = 'klusterlet of the managed cluster'
const IMPORT_CONTROLLER = 'import controller of the target hub'

/** Never over a foreign cluster, also for clusters that a placement chose (H-28, H-44). */
const isFree: Guard<Facts> = {
  what: 'neither a foreign ManagedCluster nor a foreign namespace of that name is on the target hub',
  check: facts => {
    if (facts.cluster && !isOurs(facts))
      return fails(
        'ClusterConflict',
        `managed cluster ${facts.name} exists on the target hub already: remove or rename one`,
      )
    // Taking the cluster back would make the hub delete the namespace, and with it what somebody else keeps there.
    const { namespace } = facts
    if (namespace && !namespace.isOurs && !namespace.isRetained && !namespace.isTerminating && !facts.cluster)
      return fails(
        'ClusterConflict',
        `namespace ${facts.name} exists on the target hub already: delete it, or annotate it with ${annotations.retainNamespace} to keep its content`,
      )
    if (facts.namespace?.isTerminating) return waits(`namespace ${facts.name} to finish terminating`, 'target hub')
    return holds
  },
}

/** From Initializing on the klusterlet has a credential for this hub, and may come of itself. */
const isFreeOrIntroduced: Guard<Facts> = {
  what: 'what is on the target hub under the name of the cluster is not foreign',
  check: facts => {
    if (isIntroduced(facts)) return holds
    if (mayBeIntroduced(facts))
      return waits(`managed cluster ${facts.name}, which appeared on the target hub, to show whose it is`, KLUSTERLET)
    return isFree.check(facts)
  },
}

/** A ManagedCluster that the klusterlet made is from then on like one that the migration made. */
const adopt: Step<Facts, TargetItemEffect> = {
  what: 'mark the ManagedCluster that the klusterlet made when it came of itself',
  missing: facts =>
    isIntroduced(facts) ? [{ kind: 'adopt', resourceVersion: facts.cluster?.metadata.resourceVersion ?? '' }] : [],
}

const isDeployed: Guard<Facts> = {
  what: 'the bundle is applied by digest, the hub has accepted the cluster and keeps a lease for it',
  check: facts => {
    if (!facts.bundle || facts.evidence['applied'] !== facts.bundle.digest || !isOurs(facts))
      return waits('the resources of the cluster to be applied', AGENT)
    if (!isTrue(conditionOf(facts.cluster, 'HubAcceptedManagedCluster')))
      return waits('the target hub to accept the cluster', REGISTRATION)
    return facts.evidence['leaseAtDeploy'] ? holds : waits('the target hub to create the lease', REGISTRATION)
  },
}

const isRegistered: Guard<Facts> = {
  what: 'since the switch the klusterlet renewed its lease, is Available and has applied its work, all on the target hub',
  check: facts => {
    if (!facts.cluster) return fails('ClusterNotFound', `managed cluster ${facts.name} is gone from the target hub`)
    if (!hasJoined(facts)) return waits('the klusterlet to renew its lease on the target hub', KLUSTERLET)
    if (!isTrue(conditionOf(facts.cluster, 'ManagedClusterConditionAvailable')))
      return waits('the cluster to become Available on the target hub', KLUSTERLET)
    return isApplied(facts.work) ? holds : waits('the klusterlet work to be applied on the target hub', KLUSTERLET)
  },
}

const ownBootstrap: Guard<Facts> = {
  what: 'the klusterlet works with the bootstrap of the target hub itself',
  check: facts =>
    usesOwnBootstrap(facts) ? holds : waits("the klusterlet to use the target hub's own bootstrap", IMPORT_CONTROLLER),
}

const isSettled: Guard<Facts> = {
  what: "imports run again, the klusterlet uses the target's own bootstrap, marks of the migration are gone",
  check: facts => {
    if (!facts.cluster) return fails('ClusterNotFound', `managed cluster ${facts.name} is gone from the target hub`)
    const own = ownBootstrap.check(facts)
    if (own.kind !== 'holds') return own
    return isOurs(facts) ? waits('the marks of the migration to be removed', AGENT) : holds
  },
}

const holdsBackImports = (facts: Facts) =>
  annotation(facts.cluster, annotations.disableAutoImport) !== undefined &&
  annotation(facts.cluster, annotations.keepDisableAutoImport) === undefined

const notJoined: Guard<Facts> = {
  what: 'the klusterlet is not connected to the target hub',
  check: facts =>
    facts.cluster?.spec?.hubAcceptsClient === true && hasCome(facts)
      ? fails('ClusterJoined', `managed cluster ${facts.name} is connected to the target hub: deny it there first`)
      : holds,
}

const mayGoBack: Guard<Facts> = {
  what: 'the klusterlet still knows the source hub',
  check: facts =>
    isTakenOver(facts)
      ? fails(
          'ClusterJoined',
          `managed cluster ${facts.name} works with the target hub's own bootstrap, which knows no other hub: migrate it back instead`,
        )
      : holds,
}

const isWithdrawn: Guard<Facts> = {
  what: 'nothing that the migration made for the cluster is left on the target hub',
  check: facts => {
    if (facts.cluster && isOurs(facts)) return waits('the ManagedCluster to go from the target hub', IMPORT_CONTROLLER)
    return facts.namespace?.isOurs ? waits(`namespace ${facts.name} to go from the target hub`, 'target hub') : holds
  },
}

const deny = (what: string, isDue: (facts: Facts) => boolean): Step<Facts, TargetItemEffect> => ({
  what,
  permit: mayGoBack,
  missing: facts =>
    isDue(facts) && isOurs(facts) && facts.cluster?.spec?.hubAcceptsClient === true ? [{ kind: 'deny' }] : [],
})

export const targetItemTable: StageTable<Facts, TargetItemEffect, StageName> = {
  party: 'target',
  scope: 'item',
  stages: [
    {
      name: 'Validating',
      deadlineMs: STAGE_DEADLINE_MS.Validating,
      guards: [isFree],
      steps: [],
      proof: nothingToProve,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Initializing',
      deadlineMs: STAGE_DEADLINE_MS.Initializing,
      guards: [isFreeOrIntroduced],
      steps: [],
      proof: nothingToProve,
      undo: [],
      undone: nothingToProve,
    },
    {
      name: 'Deploying',
      deadlineMs: STAGE_DEADLINE_MS.Deploying,
      guards: [isFreeOrIntroduced],
      steps: [
        adopt,
        {
          what: 'open the bundle, bind it to the cluster and apply it',
          permit: isFreeOrIntroduced,
          missing: ({ bundle, evidence }) =>
            bundle && evidence['applied'] !== bundle.digest ? [{ kind: 'applyBundle', ...bundle }] : [],
        },
      ],
      proof: isDeployed,
      undo: [
        adopt,
        deny('set hubAcceptsClient to false, so that a klusterlet that came of itself leaves', hasCome),
        {
          what: 'delete what the migration made for the cluster, and only that',
          permit: notJoined,
          missing: facts =>
            (facts.cluster && isOurs(facts) && !facts.cluster.metadata.deletionTimestamp) ||
            (facts.namespace?.isOurs && !facts.namespace.isTerminating)
              ? [{ kind: 'withdraw' }]
              : [],
        },
      ],
      undone: isWithdrawn,
    },
    {
      name: 'Registering',
      deadlineMs: STAGE_DEADLINE_MS.Registering,
      guards: [],
      steps: [],
      proof: isRegistered,
      undo: [
        // Without this a deleted cluster would be detached in the graceful way: klusterlet uninstalled (H-52).
        deny('set hubAcceptsClient to false, so that the klusterlet leaves', () => true),
      ],
      undone: nothingToProve,
    },
    {
      name: 'Cleaning',
      deadlineMs: STAGE_DEADLINE_MS.Cleaning,
      guards: [],
      steps: [
        {
          what: 'let the import controller of the target hub take over the klusterlet',
          missing: facts => (holdsBackImports(facts) ? [{ kind: 'enableAutoImport' }] : []),
        },
        {
          what: 'remove the marks of the migration',
          permit: ownBootstrap,
          missing: facts => (isOurs(facts) ? [{ kind: 'unmark' }] : []),
        },
      ],
      proof: isSettled,
      undo: [],
      undone: nothingToProve,
    },
  ],
}
