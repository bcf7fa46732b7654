import type { KubeObject } from '@godwit/kube'
import type {
  ManagedCluster,
  ManagedClusterMigration,
  MigrationTask,
  Secret,
  SharedProgress,
  SharedWish,
} from '../api/index.ts'
import type { Permitted } from '../preflight/guard.ts'
import type { ItemFacts } from './item-table.ts'
import type { Rival } from './turn.ts'

/** A hub as the global hub sees it. */
export interface HubFacts {
  readonly name: string
  readonly cluster: ManagedCluster | undefined
  /** For a hub that is the global hub itself: whether its agent Deployment exists. */
  readonly hasLocalAgent: boolean
}

export interface SharedSide {
  readonly hub: string
  readonly task: MigrationTask | undefined
  readonly wish: SharedWish | undefined
  readonly progress: SharedProgress | undefined
}

/** One look at a migration as a whole. */
export interface MigrationFacts extends Permitted {
  readonly migration: ManagedClusterMigration
  readonly uid: string
  /** Somebody deleted or cancelled the migration: it is given up and taken back. */
  readonly isCancelled: boolean
  /** How often a person has asked to roll back again. */
  readonly attempt: number
  /** Another open migration that has to end first; undefined when it is this one's turn. */
  readonly rival: Rival | undefined
  readonly from: HubFacts
  readonly to: HubFacts
  /** Namespace of the migration's ServiceAccount on the target hub; undefined: the add-on is not installed. */
  readonly installNamespace: string | undefined
  readonly serviceAccount: KubeObject | undefined
  /** Token Secret that the managed-serviceaccount add-on writes. */
  readonly token: Secret | undefined
  readonly hasCredential: boolean
  readonly source: SharedSide
  readonly target: SharedSide
  /** Clusters of the migration; undefined until they are known. */
  readonly clusters: readonly string[] | undefined
  readonly items: readonly ItemFacts[]
  /** Clusters that have no task yet, on either side. */
  readonly unassigned: number
  /** The result ConfigMap says what the items say now. */
  readonly isResultWritten: boolean
  /** Objects of the migration on the global hub, by `Kind/namespace/name`: tasks and bundles. */
  readonly leftovers: { readonly tasks: number; readonly bundles: number }
}
