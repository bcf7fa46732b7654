/**
 * Whose turn it is among migrations that would get in each other's way: those between the same two hubs, whose
 * credentials have the same names, and those that have a cluster in common. Pure; never looks at a cluster itself.
 */
import { isTerminal, type ManagedClusterMigration, type SharedRecord } from '../api/index.ts'

/**
 * How far a migration is on its way to its clusters. `holding`: they are its own until it is over. `choosing`: it has
 * begun, and its placement is being asked. `waiting`: it has not begun.
 */
export const STANDINGS = ['holding', 'choosing', 'waiting'] as const
export type Standing = (typeof STANDINGS)[number]

export interface Contender {
  readonly name: string
  readonly uid: string
  /** RFC 3339; who was created first goes first. */
  readonly createdAt: string
  readonly from: string
  readonly to: string
  /** Names; undefined while a placement has not been asked. */
  readonly clusters: readonly string[] | undefined
  readonly standing: Standing
  readonly isPaused: boolean
}

/** Another migration that has to end first, and what both want. */
export interface Rival {
  readonly name: string
  readonly shares: string
}

/** @param selected what the placement of the migration has chosen, when the source has told */
export function contenderOf(migration: ManagedClusterMigration, selected: readonly string[] | undefined): Contender {
  const { metadata, spec, status } = migration
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    createdAt: metadata.creationTimestamp ?? '',
    from: spec?.from ?? '',
    to: spec?.to ?? '',
    clusters: spec?.includedManagedClusters ?? selected,
    standing: standingOf(status?.shared, spec?.includedManagedClusters !== undefined),
    isPaused: spec?.paused === true || spec?.dryRun === true,
  }
}

function standingOf(record: SharedRecord | undefined, isNamed: boolean): Standing {
  if (!record || record.stage === 'Pending') return record?.direction === 'Undo' ? 'holding' : 'waiting'
  if (isNamed || record.direction === 'Undo') return 'holding'
  const isChoosing = record.stage === 'Validating' || (record.stage === 'Claiming' && !record.entered)
  return isChoosing ? 'choosing' : 'holding'
}

/** Decisions about these migrations are made one at a time, so that no two take the same cluster in one moment. */
export const isContending = ({ spec, status }: ManagedClusterMigration) =>
  !isTerminal(status?.phase) && standingOf(status?.shared, spec?.includedManagedClusters !== undefined) !== 'holding'

const rank = ({ standing, createdAt, uid }: Contender) => `${STANDINGS.indexOf(standing)}/${createdAt}/${uid}`

/**
 * The first migration that `me` has to wait for. Everybody waits only for those that are further, or as far and
 * older, so nobody waits in a circle; who is paused and holds nothing yet lets others go first.
 *
 * @param others all open migrations; `me` may be among them
 */
export function rivalOf(me: Contender, others: readonly Contender[]): Rival | undefined {
  if (me.standing === 'holding') return undefined
  const mine = new Set(me.clusters ?? [])
  const ahead = others
    .filter(other => other.uid !== me.uid && rank(other) < rank(me))
    .filter(other => !(other.isPaused && other.standing !== 'holding' && !isBegun(me, other)))
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  for (const other of ahead) {
    const shares = sharedWith(me, mine, other)
    if (shares !== undefined) return { name: other.name, shares }
  }
  return undefined
}

/** One that has begun keeps its hubs even when it is paused: its credentials are made, or about to be. */
const isBegun = (me: Contender, other: Contender) => isSamePair(me, other) && other.standing === 'choosing'

const isSamePair = (a: Contender, b: Contender) => a.from === b.from && a.to === b.to

function sharedWith(me: Contender, mine: ReadonlySet<string>, other: Contender): string | undefined {
  if (me.standing === 'waiting' && isSamePair(me, other)) return 'moves clusters between the same hubs'
  const hubs = [other.from, other.to]
  if (!hubs.includes(me.from) && !hubs.includes(me.to)) return undefined
  const common = (other.clusters ?? []).filter(name => mine.has(name))
  if (common.length === 0) return undefined
  const more = common.length > 1 ? ` and ${common.length - 1} more` : ''
  return `has cluster ${common[0]}${more} as well`
}
