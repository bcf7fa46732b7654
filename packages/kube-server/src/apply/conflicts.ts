import type { ManagedFieldsEntry } from '../api/object.ts'
import { type Cause, StatusError } from '../api/status-error.ts'
import { type FieldSet, pathsOf } from './field-set.ts'
import { identityText } from './managers.ts'
import { pathText } from './path-element.ts'

/** What another manager owns and this apply wants to change. */
export interface Conflict {
  readonly entry: ManagedFieldsEntry
  readonly fields: FieldSet
}

/** 409 naming each contested field and its owner. Only causes in the details, as on the real server. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const byIdentity = conflicts.toSorted((left, right) =>
    identityText(left.entry) < identityText(right.entry) ? -1 : 1,
  )
  const lines = byIdentity.flatMap(({ entry, fields }) =>
    [...pathsOf(fields)].map(path => ({ owner: ownerText(entry), path: pathText(path) })),
  )
  const causes: Cause[] = lines.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${owner}`,
    field: path,
  }))
  return new StatusError(409, 'Conflict', `Apply failed with ${summary(lines)}`, { causes })
}

function summary(lines: readonly { readonly owner: string; readonly path: string }[]): string {
  const [first] = lines
  if (lines.length === 1 && first) return `1 conflict: conflict with ${first.owner}: ${first.path}`
  const byOwner = Map.groupBy(lines, line => line.owner)
  const parts = [...byOwner].map(
    ([owner, its]) => `conflicts with ${owner}:\n${its.map(({ path }) => `- ${path}`).join('\n')}`,
  )
  return `${lines.length} conflicts: ${parts.join('\n')}`
}

function ownerText(entry: ManagedFieldsEntry): string {
  const name = JSON.stringify(entry.manager)
  const where = entry.subresource ? `${name} with subresource ${JSON.stringify(entry.subresource)}` : name
  return entry.operation === 'Update' ? `${where} using ${entry.apiVersion}` : where
}
