import type { Json, JsonObject } from '../api/object.ts'
import { isObject } from '../patch/json-value.ts'
import { joinPath, type PathPart } from './field-path.ts'
import type { SchemaNode } from './schema-node.ts'

/** Removes what the schema does not know. Returns the sorted paths of what was removed. */
export function pruneValue(root: SchemaNode, value: Json | undefined): string[] {
  const removed: string[] = []
  new Pruner(removed).walk(root, value, true)
  return removed.sort()
}

/** Like `pruneValue`, for a value that is no resource unless its node says so. */
export function pruneBelow(node: SchemaNode, value: Json): void {
  new Pruner([]).walk(node, value, node.embedded)
}

/** Members of `metadata` that exist; nothing else may be there in an embedded resource. */
const metadataMembers: ReadonlySet<string> = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
])

class Pruner {
  readonly #removed: string[]
  readonly #path: PathPart[] = []

  constructor(removed: string[]) {
    this.#removed = removed
  }

  /** `isResource`: apiVersion, kind and metadata belong here whatever the schema says. */
  walk(node: SchemaNode | undefined, value: Json | undefined, isResource: boolean, keeps = false): void {
    const keepsHere = keeps || node?.preserves === true
    if (Array.isArray(value)) this.#list(node, value, keepsHere)
    else if (isObject(value)) this.#object(node, value, isResource, keepsHere)
  }

  /** What a preserving list holds is preserved too, unknown members of its items included. */
  #list(node: SchemaNode | undefined, list: Json[], keeps: boolean): void {
    if (keeps && !node?.items) return
    for (let i = 0; i < list.length; i++) {
      const item = list[i]
      if (typeof item !== 'object' || item === null) continue
      this.#path.push(i)
      this.walk(node?.items, item, node?.items?.embedded === true, keeps)
      this.#path.pop()
    }
  }

  #object(node: SchemaNode | undefined, object: JsonObject, isResource: boolean, keeps: boolean): void {
    for (const key of Object.keys(object)) {
      if (isResource && (key === 'apiVersion' || key === 'kind' || key === 'metadata')) {
        if (key === 'metadata' && this.#path.length > 0) this.#embeddedMetadata(object[key])
        continue
      }
      const child = node?.properties.get(key)
      if (child) this.#member(child, key, object)
      else if (node?.additional) this.#member(node.additional === true ? undefined : node.additional, key, object)
      else if (!keeps) this.#remove(object, key)
    }
  }

  #member(child: SchemaNode | undefined, key: string, object: JsonObject): void {
    const value = object[key]
    if (typeof value !== 'object' || value === null) return
    this.#path.push(key)
    this.walk(child, value, child?.embedded === true)
    this.#path.pop()
  }

  #embeddedMetadata(metadata: Json | undefined): void {
    if (!isObject(metadata)) return
    this.#path.push('metadata')
    for (const key of Object.keys(metadata)) if (!metadataMembers.has(key)) this.#remove(metadata, key)
    this.#path.pop()
  }

  #remove(object: JsonObject, key: string): void {
    delete object[key]
    this.#path.push(key)
    this.#removed.push(joinPath(this.#path))
    this.#path.pop()
  }
}
