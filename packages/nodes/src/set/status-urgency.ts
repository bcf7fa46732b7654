/** Which changes of a status are written at once, and which may wait for more to come. Pure. */
import type { CocoonSetStatus } from '../api/index.ts'

/**
 * Whether a change is more than words and counts. Those change with every step of a node agent: one write for a few of
 * them is enough, and nothing is decided on them.
 */
export function isUrgentChange(before: CocoonSetStatus, after: CocoonSetStatus): boolean {
  return JSON.stringify(essence(before)) !== JSON.stringify(essence(after))
}

/** `Ready` follows from the counts: it may be as late as they are. */
const essence = (status: CocoonSetStatus) => [
  status.phase,
  status.observedGeneration,
  status.migrations?.map(({ waitsFor: _, ...record }) => record),
  status.lastMigrations,
  status.debts,
  status.suspension,
  status.conditions?.filter(({ type }) => type !== 'Ready').map(({ type, status: is, reason }) => [type, is, reason]),
]
