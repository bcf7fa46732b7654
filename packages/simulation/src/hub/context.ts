import type { KubeClient } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'

/** A hub as the simulation reaches it. */
export interface HubAccess {
  readonly name: string
  /**
   * Cluster admin: the simulation plays all foreign controllers, and impersonates the klusterlets. A bootstrap token
   * replaces its own credentials.
   */
  readonly client: KubeClient
  /** URL that kubeconfigs of agents carry for this hub. */
  readonly server: string
  /** Base64 of the PEM bundle that those kubeconfigs carry, or empty. */
  readonly caData: string
}

/** Which import controller a hub runs, by what it does with clusters whose auto-import is disabled. */
export type ImportControllerMode =
  /** None: plain Open Cluster Management. */
  | 'absent'
  /** Writes klusterlet works as for any other cluster. */
  | 'legacy'
  /** Writes them with every manifest ReadOnly. */
  | 'readOnly'
  /** Does not update existing ones any more, only switches them to ReadOnly. */
  | 'frozen'

/** Behaviour of one hub; durations in milliseconds unless the name says otherwise. */
export interface HubKnobs {
  readonly importControllerMode: ImportControllerMode
  /** `manual`: only who asks `Fleet.approve` gets a certificate. */
  readonly csrApproval: 'auto' | 'manual' | 'never'
  /** From a change of the ClusterManager to its effect. */
  readonly clusterManagerRolloutMs: number
  /** How often a refused cluster is looked at again while works remain in its namespace. */
  readonly denialRecheckMs: number
  readonly detachPollMs: number
  /** How long issued certificate requests are kept. */
  readonly csrKeepMs: number
}

export const DEFAULT_HUB_KNOBS: HubKnobs = Object.freeze({
  importControllerMode: 'legacy',
  csrApproval: 'auto',
  clusterManagerRolloutMs: 20_000,
  denialRecheckMs: 5_000,
  detachPollMs: 2_000,
  csrKeepMs: 3_600_000,
})

/** For demonstrations and tests on a real clock. */
export const FAST_HUB_KNOBS: HubKnobs = Object.freeze({
  ...DEFAULT_HUB_KNOBS,
  clusterManagerRolloutMs: 10,
  denialRecheckMs: 20,
  detachPollMs: 20,
})

export interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}
