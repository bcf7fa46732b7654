/** Validation of `metadata` wherever it occurs: at the root of an object, or inside an embedded resource. */
import { decodeMetadata } from '../api/metadata.ts'
import { metadataCauses } from '../api/metadata-rules.ts'
import { dns1035Problem, pathSegmentProblem } from '../api/names.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { type Cause, StatusError } from '../api/status-error.ts'
import { isObject, own } from '../patch/json-value.ts'
import { invalid, missing } from './causes.ts'
import { joinPath, type PathPart } from './field-path.ts'
import type { SchemaNode } from './schema-node.ts'

export interface ObjectMetaOptions {
  /** Where `metadata` stands; causes carry paths below it. Default: `['metadata']`. */
  readonly path?: readonly PathPart[]
  /** The complaint about a name, if any. Default: anything that can stand in a URL path. */
  readonly nameProblem?: (name: string) => string | undefined
  /** Refuse finalizers without a domain, as built-in kinds do. Default: false. */
  readonly qualifiedFinalizers?: boolean
  /** Default: false, as for embedded resources. */
  readonly nameRequired?: boolean
}

/** Causes of metadata that breaks the rules for names, labels, annotations, owners and finalizers. Never throws. */
export function validateObjectMeta(metadata: Json | undefined, options: ObjectMetaOptions = {}): Cause[] {
  const path = options.path ?? ['metadata']
  try {
    const decoded = decodeMetadata(metadata).metadata
    // A name that may be missing still must not trip the rule for names.
    const named = decoded.name || options.nameRequired ? decoded : { ...decoded, name: 'unnamed' }
    const rules = {
      nameProblem: options.nameProblem ?? pathSegmentProblem,
      qualifiedFinalizers: options.qualifiedFinalizers ?? false,
    }
    const prefix = joinPath(path)
    return metadataCauses(named, rules).map(cause => ({
      ...cause,
      field: cause.field.replace(/^metadata/, () => prefix),
    }))
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return [invalid(path, metadata ?? null, error.message)]
  }
}

/** Type and metadata of every embedded resource below the root, and of the root if it is one itself. */
export function embeddedCauses(root: SchemaNode, value: Json, includesRoot = false): Cause[] {
  const causes: Cause[] = []
  walk({ node: root, value, path: [], causes, isRoot: !includesRoot })
  return causes
}

interface Step {
  readonly node: SchemaNode
  readonly value: Json
  readonly path: PathPart[]
  readonly causes: Cause[]
  /** The root of an object is the REST layer's business. */
  readonly isRoot: boolean
}

function walk(step: Step): void {
  const { node, value } = step
  if (!node.below.embedded) return
  if (Array.isArray(value)) {
    if (node.items) for (const [i, item] of value.entries()) descend(step, node.items, item, i)
  } else if (isObject(value)) {
    if (node.embedded && !step.isRoot) resourceCauses(value, step.path, step.causes)
    for (const key of Object.keys(value)) {
      const member = value[key]
      if (member === undefined) continue
      const child = node.properties.get(key)
      if (child) descend(step, child, member, key)
      else if (typeof node.additional === 'object') descend(step, node.additional, member, { key })
    }
  }
}

function descend(step: Step, node: SchemaNode, value: Json, part: PathPart): void {
  step.path.push(part)
  walk({ ...step, node, value, isRoot: false })
  step.path.pop()
}

function resourceCauses(resource: JsonObject, path: readonly PathPart[], causes: Cause[]): void {
  causes.push(...typeCauses(resource, 'apiVersion', path, groupVersionProblem))
  causes.push(...typeCauses(resource, 'kind', path, kindProblem))
  const metadata = own(resource, 'metadata')
  if (metadata !== undefined) causes.push(...validateObjectMeta(metadata, { path: [...path, 'metadata'] }))
}

function typeCauses(
  resource: JsonObject,
  member: 'apiVersion' | 'kind',
  path: readonly PathPart[],
  problemOf: (text: string) => string | undefined,
): Cause[] {
  const value = own(resource, member)
  const at = [...path, member]
  if (value === undefined) return [missing(at, 'must not be empty')]
  if (typeof value !== 'string') return [invalid(at, value, 'must be a string')]
  if (value === '') return [invalid(at, value, 'must not be empty')]
  const problem = problemOf(value)
  return problem ? [invalid(at, value, problem)] : []
}

function groupVersionProblem(text: string): string | undefined {
  return text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined
}

function kindProblem(text: string): string | undefined {
  const problem = dns1035Problem(text.toLowerCase())
  return problem && `may have mixed case, but should otherwise match: ${problem}`
}
