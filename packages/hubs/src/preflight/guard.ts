import { fails, type Guard, holds } from '@godwit/core'
import type { MigrationTask } from '../api/index.ts'

/** What a party lacks, as a sentence; absent when it lacks nothing or was not asked. */
export interface Permitted {
  readonly lacking?: string | undefined
}

/** Stands before the first effect of a party: a right that is missing shows before anything was changed. */
export const isPermitted = (party: string): Guard<Permitted> => ({
  what: `${party} may do everything that a migration needs, rollback and clean-up included`,
  check: ({ lacking }) => (lacking === undefined ? holds : fails('PermissionMissing', lacking)),
})

/** Nothing was done for the migration yet: the only moment in which permissions are asked about. */
export function isBeginning({ spec, status }: MigrationTask): boolean {
  if (spec.scope === 'Items') return false
  const progress = status?.shared
  if (!progress) return true
  return progress.stage === 'Validating' && progress.direction === 'Forward' && progress.state === 'Acting'
}
