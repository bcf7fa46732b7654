/** Validation of metadata: which values are allowed, and what an update may change. */
import { forbidden, immutableField, invalidValue, requiredValue, tooLong } from './causes.ts'
import type { DraftMeta } from './metadata.ts'
import { labelValueProblem, qualifiedNameProblem } from './names.ts'
import type { ObjectMeta, OwnerReference } from './object.ts'
import type { Cause } from './status-error.ts'

const maxAnnotationsBytes = 256 * 1024
const standardFinalizers = new Set(['kubernetes', 'foregroundDeletion', 'orphan'])

export interface MetaRules {
  readonly nameProblem: (name: string) => string | undefined
  /** Built-ins refuse finalizers without a domain; custom resources accept them. */
  readonly qualifiedFinalizers: boolean
}

/** Rules for any state of an object, new or changed. */
export function metadataCauses(metadata: DraftMeta, rules: MetaRules): Cause[] {
  const causes: Cause[] = []
  const name = metadata.name ?? ''
  const problem = rules.nameProblem(name)
  if (problem) causes.push(invalidValue('metadata.name', name, problem))
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    const badKey = qualifiedNameProblem(key)
    if (badKey) causes.push(invalidValue('metadata.labels', key, badKey))
    const badValue = labelValueProblem(value)
    if (badValue) causes.push(invalidValue('metadata.labels', value, badValue))
  }
  annotationCauses(metadata.annotations ?? {}, causes)
  ownerCauses(metadata.ownerReferences ?? [], causes)
  finalizerCauses(metadata.finalizers ?? [], rules.qualifiedFinalizers, causes)
  return causes
}

function annotationCauses(annotations: { [key: string]: string }, causes: Cause[]): void {
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    const problem = qualifiedNameProblem(key.toLowerCase())
    if (problem) causes.push(invalidValue('metadata.annotations', key, problem))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > maxAnnotationsBytes) causes.push(tooLong('metadata.annotations', maxAnnotationsBytes))
}

function ownerCauses(owners: readonly OwnerReference[], causes: Cause[]): void {
  let controller: string | undefined
  // As the real server: these causes do not tell which of the owners it is.
  const path = 'metadata.ownerReferences'
  for (const owner of owners) {
    const needed: readonly [string, string | undefined][] = [
      ['apiVersion', owner.apiVersion],
      ['kind', owner.kind],
      ['name', owner.name],
      ['uid', owner.uid],
    ]
    for (const [field, value] of needed)
      if (!value)
        causes.push(
          invalidValue(
            `${path}.${field}`,
            value ?? '',
            `${field === 'apiVersion' ? 'version' : field} must not be empty`,
          ),
        )
    if (!owner.controller) continue
    if (controller !== undefined)
      causes.push(
        invalidValue(
          path,
          [],
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.kind}/${owner.name}`,
        ),
      )
    controller = `${owner.kind}/${owner.name}`
  }
}

function finalizerCauses(finalizers: readonly string[], qualified: boolean, causes: Cause[]): void {
  for (const [i, finalizer] of finalizers.entries()) {
    const problem = qualifiedNameProblem(finalizer)
    // As the real server: the rule of all kinds tells no index, the one of built-ins does.
    if (problem) causes.push(invalidValue('metadata.finalizers', finalizer, problem))
    if (qualified && !finalizer.includes('/') && !standardFinalizers.has(finalizer))
      causes.push(
        invalidValue(
          `metadata.finalizers[${i}]`,
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      )
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    causes.push(invalidValue('metadata.finalizers', [], 'finalizer orphan and foregroundDeletion cannot be both set'))
}

/** What an update of an existing object may not do to metadata. */
export function metadataUpdateCauses(next: ObjectMeta, current: ObjectMeta): Cause[] {
  const causes: Cause[] = []
  // The real server's two layers both check the uid, so the cause comes twice.
  if (next.uid !== current.uid)
    causes.push(immutableField('metadata.uid', next.uid), immutableField('metadata.uid', next.uid))
  if (current.deletionTimestamp !== undefined) {
    const before = new Set(current.finalizers ?? [])
    const added = (next.finalizers ?? []).filter(one => !before.has(one))
    if (added.length > 0)
      causes.push(
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(one => JSON.stringify(one)).join(', ')}}`,
        ),
      )
  }
  return causes
}

export const nameRequired = (): Cause => requiredValue('metadata.name', 'name or generateName is required')
