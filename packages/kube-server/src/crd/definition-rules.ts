/** Which definitions are accepted: 422 causes with the field paths of the real server. */
import { isDeepStrictEqual } from 'node:util'
import { immutableField, invalidValue, requiredValue, unsupportedValue } from '../api/causes.ts'
import { dns1035Problem, subdomainProblem } from '../api/names.ts'
import type { JsonObject, KubeObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import type { Draft } from '../registry/resource.ts'
import { type CrdNames, type CrdSpec, type CrdVersion, crdSpec, crdStatus, hasCondition } from './definition.ts'

/** Checks one schema; made by the schema module. */
export type CheckSchema = (schema: JsonObject, path: string) => readonly Cause[]

const scopes = ['Cluster', 'Namespaced']
const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const approvalAnnotation = 'api-approved.kubernetes.io'
const maxSelectableFields = 8

export function definitionCauses(draft: Draft, current: KubeObject | undefined, checkSchema: CheckSchema): Cause[] {
  const spec = crdSpec(draft)
  const causes: Cause[] = []
  if (!spec) return [requiredValue('spec')]
  nameCauses(draft, spec, causes)
  groupCauses(draft, spec, causes)
  if (!spec.scope) causes.push(requiredValue('spec.scope'))
  else if (!scopes.includes(spec.scope)) causes.push(unsupportedValue('spec.scope', spec.scope, scopes))
  versionListCauses(spec, causes)
  const accepted = current ? crdSpec(current).versions : []
  for (const [i, version] of (spec.versions ?? []).entries()) {
    const known = accepted.find(({ name }) => name === version.name)
    // What was accepted once is not compiled again with each write of the status.
    const isChecked = known !== undefined && isDeepStrictEqual(known.schema, version.schema)
    versionCauses(version, `spec.versions[${i}]`, isChecked ? () => [] : checkSchema, causes)
  }
  namesCauses(spec.names ?? { plural: '', kind: '' }, causes)
  conversionCauses(spec, causes)
  if (spec.preserveUnknownFields === true)
    causes.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    )
  if (current) updateCauses(draft, current, causes)
  return causes
}

function nameCauses(draft: Draft, spec: CrdSpec, causes: Cause[]): void {
  const wanted = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`
  if (draft.metadata.name !== wanted)
    causes.push(invalidValue('metadata.name', draft.metadata.name, 'must be spec.names.plural+"."+spec.group'))
}

function groupCauses(draft: Draft, spec: CrdSpec, causes: Cause[]): void {
  const group = spec.group ?? ''
  if (group === '') return void causes.push(requiredValue('spec.group'))
  const problem = subdomainProblem(group)
  if (problem) causes.push(invalidValue('spec.group', group, problem))
  else if (!group.includes('.'))
    causes.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
  const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(group)
  if (isProtected && !draft.metadata.annotations?.[approvalAnnotation])
    causes.push(
      requiredValue(
        `metadata.annotations[${approvalAnnotation}]`,
        `protected groups must have approval annotation "${approvalAnnotation}"`,
      ),
    )
}

function versionListCauses(spec: CrdSpec, causes: Cause[]): void {
  const versions = spec.versions ?? []
  if (versions.length === 0) causes.push(requiredValue('spec.versions'))
  const names = versions.map(one => one.name)
  if (new Set(names).size !== names.length)
    causes.push(invalidValue('spec.versions', [], 'must contain unique version names'))
  if (versions.filter(one => one.storage).length !== 1)
    causes.push(invalidValue('spec.versions', [], 'must have exactly one version marked as storage version'))
}

function versionCauses(version: CrdVersion, path: string, checkSchema: CheckSchema, causes: Cause[]): void {
  const problem = dns1035Problem(version.name ?? '')
  if (problem) causes.push(invalidValue(`${path}.name`, version.name ?? '', problem))
  const schema = version.schema?.openAPIV3Schema
  if (!schema) causes.push(requiredValue(`${path}.schema.openAPIV3Schema`, 'schemas are required'))
  else causes.push(...checkSchema(schema, `${path}.schema.openAPIV3Schema`))
  if (version.deprecationWarning !== undefined && !version.deprecated)
    causes.push(
      invalidValue(`${path}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'),
    )
  scaleCauses(version, `${path}.subresources.scale`, causes)
  for (const [i, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${path}.additionalPrinterColumns[${i}]`
    if (!column.name) causes.push(requiredValue(`${at}.name`))
    if (!column.type) causes.push(requiredValue(`${at}.type`))
    else if (!columnTypes.includes(column.type)) causes.push(unsupportedValue(`${at}.type`, column.type, columnTypes))
    if (column.format && !columnFormats.includes(column.format))
      causes.push(unsupportedValue(`${at}.format`, column.format, columnFormats))
    if (!column.jsonPath) causes.push(requiredValue(`${at}.jsonPath`))
  }
  selectableCauses(version, `${path}.selectableFields`, causes)
}

function scaleCauses(version: CrdVersion, path: string, causes: Cause[]): void {
  const scale = version.subresources?.scale
  if (!scale) return
  const rules: readonly [string, string | undefined, readonly string[], boolean][] = [
    ['specReplicasPath', scale.specReplicasPath, ['.spec'], true],
    ['statusReplicasPath', scale.statusReplicasPath, ['.status'], true],
    ['labelSelectorPath', scale.labelSelectorPath, ['.spec', '.status'], false],
  ]
  for (const [field, value, roots, needed] of rules) {
    if (!value) {
      if (needed) causes.push(requiredValue(`${path}.${field}`))
    } else if (value.includes('[') || !roots.some(root => value.startsWith(`${root}.`)))
      causes.push(invalidValue(`${path}.${field}`, value, `should be a json path under ${roots.join(' or ')}`))
  }
}

function selectableCauses(version: CrdVersion, path: string, causes: Cause[]): void {
  const fields = version.selectableFields ?? []
  if (fields.length > maxSelectableFields)
    causes.push({
      reason: 'FieldValueTooMany',
      message: `Too many: ${fields.length}: must have at most ${maxSelectableFields} items`,
      field: path,
    })
  const seen = new Set<string>()
  for (const [i, { jsonPath }] of fields.entries()) {
    const at = `${path}[${i}].jsonPath`
    if (!jsonPath) causes.push(requiredValue(at))
    else if (!/^(\.[A-Za-z_][A-Za-z0-9_-]*)+$/.test(jsonPath))
      causes.push(invalidValue(at, jsonPath, 'is an invalid path: it must be a simple path to a field'))
    else if (jsonPath.startsWith('.metadata.') || jsonPath === '.metadata')
      causes.push(invalidValue(at, jsonPath, 'must not point to fields in metadata'))
    else if (!isScalar(version.schema?.openAPIV3Schema, jsonPath))
      causes.push(invalidValue(at, jsonPath, 'must point to a field of type string, boolean or integer in the schema'))
    if (seen.has(jsonPath))
      causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(jsonPath)}`, field: at })
    seen.add(jsonPath)
  }
}

function isScalar(schema: JsonObject | undefined, jsonPath: string): boolean {
  let node = schema
  for (const part of jsonPath.split('.').slice(1))
    node = (node?.['properties'] as JsonObject | undefined)?.[part] as JsonObject | undefined
  return ['string', 'boolean', 'integer'].includes(String(node?.['type']))
}

function namesCauses(names: CrdNames, causes: Cause[]): void {
  const labels: readonly [string, string | undefined, boolean][] = [
    ['plural', names.plural, true],
    ['singular', names.singular, false],
    ['kind', names.kind?.toLowerCase(), true],
    ['listKind', names.listKind?.toLowerCase(), false],
  ]
  for (const [field, value, needed] of labels) {
    if (!value) {
      if (needed) causes.push(requiredValue(`spec.names.${field}`))
      continue
    }
    const problem = dns1035Problem(value)
    if (problem) causes.push(invalidValue(`spec.names.${field}`, value, problem))
  }
  for (const field of ['shortNames', 'categories'] as const)
    for (const [i, value] of (names[field] ?? []).entries()) {
      const problem = dns1035Problem(value)
      if (problem) causes.push(invalidValue(`spec.names.${field}[${i}]`, value, problem))
    }
  if (names.kind && names.kind === names.listKind)
    causes.push(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
}

function conversionCauses(spec: CrdSpec, causes: Cause[]): void {
  const strategy = spec.conversion?.strategy ?? 'None'
  if (strategy !== 'None')
    // Conversion webhooks are not called here; accepting one would corrupt data silently.
    causes.push(unsupportedValue('spec.conversion.strategy', strategy, ['None']))
}

function updateCauses(draft: Draft, current: KubeObject, causes: Cause[]): void {
  const [next, old] = [crdSpec(draft), crdSpec(current)]
  if (next.group !== old.group) causes.push(immutableField('spec.group', next.group))
  if (hasCondition(current, 'Established')) {
    if (next.scope !== old.scope) causes.push(immutableField('spec.scope', next.scope))
    if (next.names?.kind !== old.names.kind) causes.push(immutableField('spec.names.kind', next.names?.kind))
    if (next.names?.plural !== old.names.plural) causes.push(immutableField('spec.names.plural', next.names?.plural))
  }
  const known = new Set((next.versions ?? []).map(one => one.name))
  for (const [i, version] of crdStatus(draft).storedVersions.entries())
    if (!known.has(version))
      causes.push(invalidValue(`status.storedVersions[${i}]`, version, 'must appear in spec.versions'))
}
