/** Objects shown as rows, the way `kubectl get` prints them. */
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import type { Column, Resource } from '../registry/resource.ts'

export type RowObject = 'None' | 'Metadata' | 'Object'

export interface TableOptions {
  readonly metaVersion: 'v1' | 'v1beta1'
  readonly include: RowObject
  readonly nowMs: number
}

export function columnDefinitions(columns: readonly Column[]): JsonObject[] {
  return columns.map(({ name, type, format, description, priority }) => ({ name, type, format, description, priority }))
}

export function row(resource: Resource, object: KubeObject, options: TableOptions): JsonObject {
  const cells: Json[] = resource.columns.map(column => column.read(object, options.nowMs))
  return { cells, object: rowObject(object, options) }
}

function rowObject(object: KubeObject, { include, metaVersion }: TableOptions): Json {
  if (include === 'None') return null
  return include === 'Object' ? object : partialMetadata(object, metaVersion)
}

/** Only the metadata, as informers that need no more ask for it. */
export function partialMetadata(object: KubeObject, metaVersion: string): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata: object.metadata }
}

/** A whole table; `columns` false leaves the definitions out, as later events of a watch do. */
export function table(
  resource: Resource,
  objects: readonly KubeObject[],
  options: TableOptions & { readonly metadata: JsonObject; readonly columns: boolean },
): JsonObject {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.metaVersion}`,
    metadata: options.metadata,
    columnDefinitions: options.columns ? columnDefinitions(resource.columns) : [],
    rows: objects.map(object => row(resource, object, options)),
  }
}
