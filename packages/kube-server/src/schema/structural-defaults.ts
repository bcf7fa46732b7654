/** Defaults of a definition must be values that the schema itself accepts. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { RuleTree } from '../cel/index.ts'
import { own, sameJson } from '../patch/json-value.ts'
import { invalid } from './causes.ts'
import { copyJson } from './defaults.ts'
import { namedSchemas, schemaOf } from './keyword.ts'
import { embeddedCauses } from './metadata.ts'
import { parseNode } from './parse-node.ts'
import { pruneBelow } from './prune.ts'
import type { SchemaNode } from './schema-node.ts'
import { ruleCauses } from './validate-rules.ts'
import { schemaCauses } from './validate-schema.ts'

export function defaultCauses(schema: JsonObject, path: string): Cause[] {
  const causes: Cause[] = []
  check(schema, path, causes)
  return causes
}

/** Not below `additionalProperties`: defaults in there are never applied to anything that is absent. */
function check(schema: JsonObject, path: string, causes: Cause[]): void {
  const value = own(schema, 'default')
  if (value !== undefined && value !== null) causes.push(...valueCauses(schema, value, `${path}.default`))
  const items = schemaOf(schema, 'items')
  if (items) check(items, `${path}.items`, causes)
  for (const [name, child] of namedSchemas(schema, 'properties')) check(child, `${path}.properties[${name}]`, causes)
}

function valueCauses(schema: JsonObject, value: Json, path: string): Cause[] {
  const node = parseNode(schema)
  const pruned = copyJson(value)
  pruneBelow(node, pruned)
  const causes = sameJson(pruned, value) ? [] : [invalid([path], value, 'must not have unknown fields')]
  const found = firstOf(
    () => embeddedCauses(node, value, true),
    () => schemaCauses(node, value, undefined),
    () => (node.below.rules ? defaultRuleCauses(node, value) : []),
  )
  return [...causes, ...found.map(cause => ({ ...cause, field: below(path, cause.field) }))]
}

/** A default must do both as a new value and as one that stays. */
function defaultRuleCauses(node: SchemaNode, value: Json): Cause[] {
  const rules = new RuleTree(node)
  return firstOf(
    () => ruleCauses(rules, value, value, false),
    () => ruleCauses(rules, value, undefined),
  )
}

function firstOf(...checks: readonly (() => Cause[])[]): Cause[] {
  for (const one of checks) {
    const found = one()
    if (found.length > 0) return found
  }
  return []
}

const below = (path: string, field: string) => (field === '<nil>' ? path : `${path}.${field}`)
