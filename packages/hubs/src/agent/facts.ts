import type { Lease, ManifestWork } from '../api/index.ts'
import { conditionOf, isTrue } from '../api/index.ts'

/** Values before Godwit changed them, by `Kind/name/annotation/key`, as JSON: a merge patch cannot carry a null. */
export type Journal = Readonly<Record<string, string>>
/** Receipts by name. */
export type Evidence = Readonly<Record<string, string>>

/** What every item of either side knows besides its world. */
export interface ItemContext {
  readonly name: string
  readonly migrationUid: string
  readonly journal: Journal
  readonly evidence: Evidence
}

export interface ObjectRef {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

export const journalKey = (object: ObjectRef, annotationKey: string) =>
  `${object.kind}/${object.name}/annotation/${annotationKey}`

/** The work agent has applied the newest generation of the work. ReadOnly works report this without applying (H-55). */
export function isApplied(work: ManifestWork | undefined): boolean {
  const applied = conditionOf(work, 'Applied')
  return isTrue(applied) && (applied?.observedGeneration ?? 0) >= (work?.metadata.generation ?? 0)
}

/** No manifest of the work is really written to the cluster: the import controller holds it back. */
export function isReadOnly(work: ManifestWork): boolean {
  const configs = work.spec?.manifestConfigs ?? []
  return configs.length > 0 && configs.every(config => config.updateStrategy?.type === 'ReadOnly')
}

/** The lease as a version: who wants to know whether it was renewed compares two of these, never two clocks. */
export const leaseMark = (lease: Lease | undefined) => lease && `${lease.metadata.uid}@${lease.spec?.renewTime ?? ''}`

/** A value for the journal; undefined: it was absent. */
export const remember = (value: string | undefined) => JSON.stringify(value ?? null)

/** A value from the journal: null when it was absent, undefined when it was never journalled. */
export function recall(journal: Journal, key: string): string | null | undefined {
  const text = journal[key]
  return text === undefined ? undefined : (JSON.parse(text) as string | null)
}
