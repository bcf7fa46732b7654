/** Why a migration or a cluster is refused or fails: what it means, what was done, what to do. For docs/hubs.md. */

interface ErrorCode {
  readonly means: string
  readonly wasDone: string
  readonly remedy: string
}

const NOTHING = 'Nothing was changed.'
const ROLLED_BACK = 'The cluster is rolled back.'

export const ERROR_CODES = {
  AddonMissing: {
    means: 'The managed-serviceaccount add-on is not installed for the target hub.',
    wasDone: NOTHING,
    remedy: 'Enable the add-on, or name its namespace in the annotation, and make a new migration.',
  },
  BundleRefused: {
    means: 'A bundle holds something that may not move with its cluster, or is not what was promised.',
    wasDone: ROLLED_BACK,
    remedy: 'The message names the object; it was put there by neither agent.',
  },
  BundleTooLarge: {
    means: 'The resources of one cluster do not fit into a Secret.',
    wasDone: ROLLED_BACK,
    remedy: 'Make the Secrets and ConfigMaps in the namespace of the cluster smaller.',
  },
  Cancelled: {
    means: 'Somebody cancelled or deleted the migration, or cancelled the cluster.',
    wasDone: 'What had not arrived is rolled back.',
    remedy: 'Nothing.',
  },
  ClusterConflict: {
    means: 'Another migration or somebody else has a cluster, or a namespace, of that name.',
    wasDone: 'In Validating nothing; later the cluster is rolled back.',
    remedy: 'Decide who owns the cluster; the message names the other one.',
  },
  ClusterJoined: {
    means: 'The klusterlet is connected to the target hub, where deleting the cluster would uninstall it.',
    wasDone: 'The rollback of the cluster stands still.',
    remedy: 'Deny the cluster on the target hub, then ask for the rollback again.',
  },
  ClusterNotFound: {
    means: 'The ManagedCluster does not exist on its hub, or is gone.',
    wasDone: 'In Validating nothing; later the cluster is rolled back as far as it can be.',
    remedy: 'Correct the name, or import the cluster again.',
  },
  ClusterValidateFailed: {
    means: 'The cluster cannot move: hosted, not Available, being deleted, the hub itself, or itself a hub.',
    wasDone: NOTHING,
    remedy: 'The message says which; mend it or leave the cluster out.',
  },
  CredentialInUse: {
    means: "Clusters may still need the migration's credential.",
    wasDone: 'The credential is kept, and the migration ends with it listed as residue.',
    remedy: 'Finish the clusters that the message names, then ask for the rollback again.',
  },
  HubClusterInvalid: {
    means: 'A hub does not exist, is not Available, is no managed hub, or has no server URL.',
    wasDone: NOTHING,
    remedy: 'Mend the ManagedCluster of the hub on the global hub.',
  },
  HubInvalid: {
    means: 'A hub lacks a MultiClusterHub, a ClusterManager or a bootstrap ClusterRole.',
    wasDone: 'In Validating nothing; later everything is rolled back.',
    remedy: 'Install what the message names.',
  },
  Internal: {
    means: 'Godwit found itself in a state that it does not know.',
    wasDone: ROLLED_BACK,
    remedy: 'Report it, with the message.',
  },
  NameTaken: {
    means: 'An object with the name that the migration needs exists and was not made by it.',
    wasDone: 'Before Initializing nothing; there, everything is rolled back.',
    remedy: 'Delete the object, or name the migration otherwise.',
  },
  NotStarted: {
    means: "The migration stopped before the cluster's turn came.",
    wasDone: NOTHING,
    remedy: 'Move the cluster with a new migration.',
  },
  PermissionMissing: {
    means: 'The controller or an agent may not do something that a migration, its rollback or its clean-up needs.',
    wasDone: NOTHING,
    remedy: 'Apply the role that the message names, and make a new migration.',
  },
  PlacementEmpty: {
    means: 'The placement has chosen no cluster.',
    wasDone: NOTHING,
    remedy: 'Correct the placement on the source hub.',
  },
  SealBroken: {
    means: 'A bundle cannot be opened with the key of this migration.',
    wasDone: ROLLED_BACK,
    remedy: 'Somebody changed the bundle or the key; make a new migration.',
  },
  SpecInvalid: {
    means: 'The spec does not say what to move from where to where.',
    wasDone: NOTHING,
    remedy: 'The message names the field; make a new migration.',
  },
  Timeout: {
    means: 'The deadline of a stage passed; the message says what was still waited for.',
    wasDone: 'In Validating nothing; later the cluster, or everything, is rolled back. In a rollback, it stands still.',
    remedy: 'Mend what was waited for; for a rollback, ask again.',
  },
} as const satisfies Readonly<Record<string, ErrorCode>>

export function describeErrorCodes(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { means, wasDone, remedy }]) => `| \`${code}\` | ${means} | ${wasDone} | ${remedy} |`,
  )
  return ['| Code | What it means | What was done | What to do |', '|---|---|---|---|', ...rows, ''].join('\n')
}
