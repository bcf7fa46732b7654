/** Which schemas a definition may carry. */
import type { JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { RuleTree } from '../cel/index.ts'
import { isObject, own } from '../patch/json-value.ts'
import { forbidden } from './causes.ts'
import { isGiven, isSet, namedSchemas } from './keyword.ts'
import { parseNode } from './parse-node.ts'
import { defaultCauses } from './structural-defaults.ts'
import { structuralCauses } from './structural-invariants.ts'
import { keywordCauses } from './structural-keywords.ts'
import { RuleContext, totalCostCauses } from './structural-rules.ts'
import { shapeCauses } from './structural-shape.ts'

/**
 * Create-time rules of a definition's schema: structural, defaults valid, list types consistent, patterns RE2, CEL rules
 * compile. `fieldPath` is where the schema stands in the definition. Empty when the schema is good. Never throws.
 */
export function checkStructural(openAPIV3Schema: JsonObject, fieldPath: string): Cause[] {
  const unreadable = shapeCauses(openAPIV3Schema, fieldPath)
  if (unreadable.length > 0) return unreadable
  const causes = isSet(openAPIV3Schema, 'nullable')
    ? [forbidden([`${fieldPath}.nullable`], 'nullable cannot be true at the root')]
    : []
  const structural = hasForeignKeyword(openAPIV3Schema) ? undefined : structureCauses(openAPIV3Schema, fieldPath)
  causes.push(...(structural ?? []))
  const isStructural = structural?.length === 0
  const rules = isStructural ? new RuleContext(new RuleTree(parseNode(openAPIV3Schema)).root) : undefined
  const found = keywordCauses(openAPIV3Schema, fieldPath, rules)
  return [...causes, ...found.schema, ...found.rules, ...(rules ? totalCostCauses(rules, fieldPath) : [])]
}

/** Defaults are judged only by a schema that makes sense. */
function structureCauses(schema: JsonObject, path: string): Cause[] {
  const causes = structuralCauses(schema, path)
  return causes.length > 0 ? causes : defaultCauses(schema, path)
}

const foreignKeywords = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'definitions']

/** Keywords that no structural schema has; the keyword rules name them. */
function hasForeignKeyword(schema: JsonObject): boolean {
  const hasOne =
    foreignKeywords.some(keyword => isGiven(own(schema, keyword))) ||
    own(schema, 'additionalItems') !== undefined ||
    Array.isArray(own(schema, 'items'))
  const children = [
    ...namedSchemas(schema, 'properties').map(([, child]) => child),
    ...['items', 'additionalProperties'].map(keyword => own(schema, keyword)).filter(isObject),
  ]
  return hasOne || children.some(hasForeignKeyword)
}
