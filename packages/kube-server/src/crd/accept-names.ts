/** Which names of a definition are free, given all else that its group has. Pure. */
import type { KubeObject } from '../api/object.ts'
import { type CrdNames, crdSpec, crdStatus } from './definition.ts'

/** The names of a definition or of a built-in kind. */
export interface TakenNames {
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly kind: string
  readonly listKind?: string
}

export interface AcceptedNames {
  readonly names: CrdNames
  /** The first conflict; undefined when everything is accepted. */
  readonly conflict: { readonly reason: string; readonly message: string } | undefined
}

/** `taken` are the names of everything else in the group: accepted ones of other definitions, and built-in kinds. */
export function acceptNames(definition: KubeObject, taken: readonly TakenNames[]): AcceptedNames {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { plural, singular, shortNames = [], kind, listKind } of taken) {
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }
  const wanted = crdSpec(definition).names
  const before = crdStatus(definition).acceptedNames
  const conflicts: { reason: string; message: string }[] = []
  const claim = (taken: ReadonlySet<string>, value: string | undefined, old: string | undefined, reason: string) => {
    if (value === undefined || !taken.has(value)) return value
    conflicts.push({ reason, message: `${JSON.stringify(value)} is already in use` })
    return old
  }
  const plural = claim(resources, wanted.plural, before.plural, 'PluralConflict') ?? ''
  const singular = claim(resources, wanted.singular, before.singular, 'SingularConflict')
  const clashing = (wanted.shortNames ?? []).filter(name => resources.has(name))
  if (clashing.length > 0)
    conflicts.push({ reason: 'ShortNamesConflict', message: `${JSON.stringify(clashing)} is already in use` })
  const shortNames = clashing.length > 0 ? before.shortNames : wanted.shortNames
  const kind = claim(kinds, wanted.kind, before.kind, 'KindConflict') ?? ''
  const listKind = claim(kinds, wanted.listKind, before.listKind, 'ListKindConflict')
  const names: CrdNames = { plural, kind }
  if (singular) names.singular = singular
  if (shortNames) names.shortNames = [...shortNames]
  if (listKind) names.listKind = listKind
  if (wanted.categories) names.categories = [...wanted.categories]
  return { names, conflict: conflicts[0] }
}
