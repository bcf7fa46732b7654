/** The schema of one version of a custom resource, ready for use: what every write passes through, in order. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { RuleTree } from '../cel/index.ts'
import { invalid } from './causes.ts'
import { fillDefaults } from './defaults.ts'
import { listTypeCauses } from './list-types.ts'
import { embeddedCauses } from './metadata.ts'
import { parseNode } from './parse-node.ts'
import { pruneValue } from './prune.ts'
import type { SchemaNode } from './schema-node.ts'
import { ruleCauses } from './validate-rules.ts'
import { schemaCauses } from './validate-schema.ts'

/** Opaque to callers: made by `compileSchema`, shared by all requests. */
export interface Schema {
  readonly root: SchemaNode
  /** The CEL rules; compiled at first use, undefined when there are none. */
  readonly rules: () => RuleTree | undefined
}

/** Parses a structural schema once. Never throws: whatever `checkStructural` would refuse is taken as absent. */
export function compileSchema(openAPIV3Schema: JsonObject): Schema {
  const root = parseNode(openAPIV3Schema)
  let rules: RuleTree | undefined
  return {
    root,
    rules() {
      if (root.below.rules) rules ??= new RuleTree(root)
      return rules
    },
  }
}

/**
 * Removes unknown members in place; apiVersion, kind and metadata of the root and of embedded resources stay.
 * Returns the paths of what was removed, sorted: `spec.x`, `spec.parts[0].y`.
 */
export function prune(schema: Schema, value: Json): string[] {
  return pruneValue(schema.root, value)
}

/** Fills in defaults in place and drops nulls that are not allowed. */
export function applyDefaults(schema: Schema, value: Json): void {
  fillDefaults(schema.root, value)
}

/**
 * Causes of a value that breaks its schema, embedded metadata, list types or CEL rules; empty when it is good.
 * With `old`, the stored value, an update is not failed for what it did not change. Never throws.
 */
export function validate(schema: Schema, value: Json, old?: Json): Cause[] {
  const { root } = schema
  const causes = schemaCauses(root, value, old)
  if (root.below.embedded) causes.push(...embeddedCauses(root, value))
  if (root.below.lists) {
    const duplicates = listTypeCauses(root, value)
    const hadSome = duplicates.length > 0 && old !== undefined && listTypeCauses(root, old).length > 0
    if (!hadSome) causes.push(...duplicates)
  }
  const rules = schema.rules()
  if (rules) causes.push(...(causes.some(isBlocking) ? [rulesSkipped] : ruleCauses(rules, value, old)))
  return causes
}

const blockingReasons = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

/** Rules are written for values of the right shape. */
const isBlocking = ({ reason }: Cause) => blockingReasons.has(reason)

const rulesSkipped = invalid(
  [],
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)
