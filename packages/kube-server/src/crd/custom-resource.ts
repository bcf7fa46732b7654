/** Turns each served version of a definition into a resource, with its schema compiled once. */

import { subdomainProblem } from '../api/names.ts'
import type { JsonObject, KubeObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import type { Shape } from '../apply/index.ts'
import { scaleOf, statusOf } from '../registry/define.ts'
import {
  type Column,
  groupVersion,
  qualifiedPlural,
  type Resource,
  type ScalePaths,
  type Strategy,
  type SubresourceInfo,
  standardVerbs,
  type View,
} from '../registry/resource.ts'
import { fieldAt, metadataFields } from '../rest/selectors.ts'
import { applyDefaults, prune, type Schema, validate } from '../schema/index.ts'
import type { Stored } from '../store/types.ts'
import { ageColumn, nameColumn } from '../table/columns.ts'
import { printerColumn } from '../table/printer-column.ts'
import type { CompiledSchemas } from './compiled-schemas.ts'
import { type CrdSpec, type CrdVersion, crdSpec, crdStatus } from './definition.ts'

/** One version with what was compiled from it. */
interface CompiledVersion {
  readonly version: CrdVersion
  readonly apiVersion: string
  readonly openApi: JsonObject
  readonly schema: Schema
  readonly shape: Shape
}

/** Resources for all served versions of one established definition, served from store version `historyStart` on. */
export function customResources(definition: KubeObject, historyStart: number, schemas: CompiledSchemas): Resource[] {
  const spec = crdSpec(definition)
  const compiled = spec.versions.map(version => compileVersion(spec, version, schemas))
  const storage = compiled.find(one => one.version.storage)
  if (!storage) return []
  return compiled.filter(one => one.version.served).map(one => makeResource(definition, one, storage, historyStart))
}

function compileVersion(spec: CrdSpec, version: CrdVersion, schemas: CompiledSchemas): CompiledVersion {
  const openApi = version.schema?.openAPIV3Schema ?? {}
  return { version, apiVersion: groupVersion(spec.group, version.name), openApi, ...schemas.of(openApi) }
}

function makeResource(
  definition: KubeObject,
  served: CompiledVersion,
  storage: CompiledVersion,
  historyStart: number,
): Resource {
  const views = new WeakMap<Stored, View>()
  const spec = crdSpec(definition)
  const names = crdStatus(definition).acceptedNames
  const { version, openApi, shape } = served
  const plural = spec.names.plural
  const scale = version.subresources?.scale
  return {
    group: spec.group,
    version: version.name,
    apiVersion: served.apiVersion,
    plural,
    singular: names.singular || spec.names.kind.toLowerCase(),
    kind: spec.names.kind,
    listKind: names.listKind || `${spec.names.kind}List`,
    namespaced: spec.scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: standardVerbs,
    subresources: subresourcesOf(version, spec.names.kind),
    collection: qualifiedPlural(plural, spec.group),
    custom: true,
    ...(version.deprecated && {
      deprecationWarning: version.deprecationWarning ?? `${served.apiVersion} ${spec.names.kind} is deprecated`,
    }),
    strategy: strategyOf(served),
    columns: columnsOf(version),
    fields: fieldsOf(version),
    schema: openApi,
    shape,
    ...(scale && { scale: scale satisfies ScalePaths }),
    view: viewer(served, views),
    ...(served === storage && { adopt: (stored: Stored) => void views.set(stored, stored) }),
    historyStart,
    toStorage: object => toStorage(object, served, storage),
  }
}

function subresourcesOf(version: CrdVersion, kind: string): SubresourceInfo[] {
  const { status, scale } = version.subresources ?? {}
  return [...(status ? [statusOf(kind)] : []), ...(scale ? [scaleOf()] : [])]
}

function columnsOf(version: CrdVersion): Column[] {
  const own = version.additionalPrinterColumns
  return own?.length ? [nameColumn, ...own.map(printerColumn)] : [nameColumn, ageColumn]
}

function fieldsOf(version: CrdVersion) {
  const own = (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.slice(1), fieldAt(jsonPath)] as const)
  return new Map([...metadataFields, ...own])
}

function strategyOf({ version, schema }: CompiledVersion): Strategy {
  const hasStatus = version.subresources?.status !== undefined
  return {
    hasGeneration: true,
    hasStatus,
    createsOnUpdate: false,
    updatesUnconditionally: false,
    qualifiedFinalizers: false,
    nameProblem: subdomainProblem,
    decode: draft => prune(schema, draft),
    applyDefaults: draft => applyDefaults(schema, draft),
    validate: (draft, current): readonly Cause[] => validate(schema, draft, current),
    warnings: (draft, current) => finalizerWarnings(draft.metadata.finalizers, current?.metadata.finalizers),
  }
}

function finalizerWarnings(after: readonly string[] = [], before: readonly string[] = []): string[] {
  return after
    .filter(one => !one.includes('/') && !before.includes(one) && one !== 'foregroundDeletion' && one !== 'orphan')
    .map(
      one =>
        `metadata.finalizers: ${JSON.stringify(one)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    )
}

/**
 * Reads stored objects in one version. An object stored under an older schema, or in another version, is pruned and
 * defaulted anew; the result is remembered for as long as the stored state lives.
 */
function viewer({ apiVersion, schema }: CompiledVersion, views: WeakMap<Stored, View>): (stored: Stored) => View {
  return stored => {
    const known = views.get(stored)
    if (known) return known
    const object: KubeObject = JSON.parse(stored.json)
    object.apiVersion = apiVersion
    prune(schema, object)
    applyDefaults(schema, object)
    const json = JSON.stringify(object)
    const view = json === stored.json ? stored : { object, json }
    views.set(stored, view)
    return view
  }
}

function toStorage(object: KubeObject, served: CompiledVersion, storage: CompiledVersion): KubeObject {
  if (served === storage) return object
  const converted: KubeObject = { ...JSON.parse(JSON.stringify(object)), apiVersion: storage.apiVersion }
  prune(storage.schema, converted)
  return converted
}
