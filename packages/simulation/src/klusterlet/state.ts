/** What one klusterlet is and has: plain values, changed only by `step`. */
import type { HubKubeconfig } from './kubeconfig.ts'

/** How likely a step goes wrong this time, 0…1 each; the next attempt draws again. */
export interface FailureRates {
  /** A work does not apply. */
  readonly apply: number
  /** A bootstrap that is valid looks invalid. */
  readonly probe: number
  /** A request for a certificate is lost. */
  readonly request: number
  /** The pod is killed while it does something. */
  readonly kill: number
}

/** Fixed properties of one klusterlet; durations in milliseconds. */
export interface KlusterletKnobs {
  /** From the end of one agent process to the start of the next. */
  readonly restartDelayMs: number
  /** From a changed Klusterlet to the restart of its agents. */
  readonly rolloutDelayMs: number
  /** From a change of a ManifestWork on the hub to its effect on the managed cluster. */
  readonly workApplyDelayMs: number
  /** Replaces the timeout of the configuration, whose smallest value is three minutes. */
  readonly hubConnectionTimeoutMs?: number
  readonly timeoutCheckPeriodMs: number
  /** No timeout check this soon after a process start. */
  readonly graceAfterStartMs: number
  readonly crashLoopFirstMs: number
  readonly crashLoopMaxMs: number
  /** Between attempts to send a certificate request or a status report that failed. */
  readonly retryMs: number
  /** From leaving a hub to the eviction of what its works own; the configuration may override it. */
  readonly evictionGraceMs: number
  /** False: the agent is too old to know more than one hub and ignores such a configuration. */
  readonly multipleHubs: boolean
  /** The klusterlet works never reach this cluster (their manifests fail to apply). */
  readonly neverAppliesConfig: boolean
  /** Names of hubs that cannot be reached from this cluster. */
  readonly unreachableHubs: readonly string[]
  /** How far the cluster's clock is ahead of the hubs'. */
  readonly clockSkewMs: number
  /** 0…0.25: how much later than due this agent renews its lease. */
  readonly leaseJitter: number
  readonly failures: FailureRates
}

/** What the agents are started with. */
export interface AgentConfig {
  readonly multipleHubs: boolean
  /** Names of bootstrap Secrets, in order of preference. */
  readonly bootstrapSecrets: readonly string[]
  readonly hubConnectionTimeoutMs: number
  readonly evictionGraceMs: number
}

/** Content of `hub-kubeconfig-secret`: the client certificate and the hub it is for. */
export interface Credential {
  readonly server: string
  readonly caHash: string
  readonly contextCluster: string
  readonly user: string
  readonly groups: readonly string[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** The ManagedCluster as its agent sees it on the hub it is connected to. */
export interface ClusterView {
  readonly hubAcceptsClient: boolean
  readonly isHubAccepted: boolean
  readonly isJoined: boolean
  readonly isAvailable: boolean
  readonly leaseDurationMs: number
}

/** Where the agent process is in its life. `run` tells one process from the next: answers to a dead one are dropped. */
export type AgentProcess =
  | { readonly at: 'down'; readonly run: number; readonly untilMs: number; readonly crashes: number }
  | { readonly at: 'selecting'; readonly run: number; readonly crashes: number }
  | {
      readonly at: 'bootstrapping'
      readonly run: number
      readonly secret: string
      readonly csr?: string
      readonly retryAtMs?: number
    }
  | {
      readonly at: 'connected'
      readonly run: number
      readonly sinceMs: number
      /** Undefined: not seen, or gone. */
      readonly cluster?: ClusterView
      /** Undefined: the hub does not accept the cluster, so its lease is left alone. */
      readonly renewAtMs?: number
      readonly checkAtMs?: number
      readonly reportAtMs?: number
      readonly rotateAtMs: number
      readonly leaseUnreadableSinceMs?: number
    }
  | { readonly at: 'removed'; readonly run: number }

/** What the work agent remembers of one applied ManifestWork (AppliedManifestWork). */
export interface AppliedWork {
  readonly server: string
  readonly work: string
  /** Ids of the resources it owns; empty for works that orphan theirs. */
  readonly owns: readonly string[]
  readonly evictAtMs?: number
}

export interface KlusterletState {
  readonly cluster: string
  /** Uid of the Klusterlet object. */
  readonly agentId: string
  readonly knobs: KlusterletKnobs
  /** Server of the hub that the cluster belonged to when it last knew one hub only. */
  readonly origin: string
  readonly config: AgentConfig
  /** Secrets in the agent's namespace, by name. */
  readonly secrets: Readonly<Record<string, HubKubeconfig>>
  readonly rollout?: { readonly config: AgentConfig; readonly atMs: number }
  readonly credential?: Credential
  readonly process: AgentProcess
  readonly works: readonly AppliedWork[]
}

/** What reaches the klusterlet from outside, one at a time. */
export type Observation =
  | { readonly type: 'tick' }
  /** Answer to `select`: the first valid bootstrap, or none. */
  | { readonly type: 'selected'; readonly run: number; readonly secret: string | undefined }
  /** Answer to `request`: the certificate request exists. */
  | { readonly type: 'requested'; readonly run: number; readonly csr: string }
  /** Answer to `request` or `report`: the hub refused or did not answer. */
  | { readonly type: 'failed'; readonly run: number }
  | { readonly type: 'issued'; readonly run: number; readonly credential: Credential }
  /** The ManagedCluster on a hub changed; undefined: it is gone. */
  | { readonly type: 'cluster'; readonly server: string; readonly cluster: ClusterView | undefined }
  /** Answer to `readLease`; undefined: unreadable. */
  | { readonly type: 'lease'; readonly run: number; readonly renewedAtMs: number | undefined }
  /** A work put Secrets or a Klusterlet on the managed cluster. */
  | {
      readonly type: 'delivered'
      readonly config?: AgentConfig
      readonly secrets: Readonly<Record<string, HubKubeconfig>>
    }
  | { readonly type: 'applied'; readonly work: AppliedWork }
  /** A work was deleted on the hub: with the agent's help, or it is simply missing. */
  | { readonly type: 'workGone'; readonly server: string; readonly work: string; readonly how: 'deleted' | 'missing' }
  | { readonly type: 'podRestarted' }

/** What the klusterlet wants done. Answers come back as observations with the same `run`. */
export type Action =
  /** Try the bootstraps in this order and take the first valid one. */
  | { readonly type: 'select'; readonly run: number; readonly candidates: readonly string[] }
  /** Make the ManagedCluster known and ask for a certificate with this bootstrap. */
  | { readonly type: 'request'; readonly run: number; readonly secret: string }
  /** Report Joined, Available, version and claims. */
  | { readonly type: 'report'; readonly run: number }
  | { readonly type: 'renewLease'; readonly run: number }
  | { readonly type: 'readLease'; readonly run: number }
  /** Ask for a new certificate with the present one. */
  | { readonly type: 'rotate'; readonly run: number }
  /** Look at the ManagedCluster and all works of the cluster on the hub just connected to. */
  | { readonly type: 'syncHub'; readonly run: number }

export interface Step {
  readonly state: KlusterletState
  readonly actions: readonly Action[]
}

/** Names of the states in the specification's diagram; B0 is a bootstrap on the hub the cluster came from. */
export type Label = 'S1' | 'S2' | 'SX' | 'RS' | 'B0' | 'B1' | 'T1' | 'B2' | 'T2' | 'CL' | 'removed'
