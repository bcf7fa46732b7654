/** Walks a value along its schema: types, limits, required members and logical junctors. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { isObject, sameJson } from '../patch/json-value.ts'
import { badValue, junctorFailed, missing, wrongType } from './causes.ts'
import {
  checkEnum,
  checkFormat,
  checkNumber,
  checkSize,
  checkString,
  type Findings,
  PatternBudget,
} from './check-scalars.ts'
import type { PathPart } from './field-path.ts'
import { type ItemsByKey, itemsByKey } from './list-correlation.ts'
import { type SchemaNode, typeBits } from './schema-node.ts'

/**
 * Causes of a value that breaks its schema. With `old`, what did not change is not held against the update: a schema
 * may have been tightened since the object was stored.
 */
export function schemaCauses(root: SchemaNode, value: Json, old: Json | undefined): Cause[] {
  const causes = walkOnce(root, value, undefined)
  // Most values are good; only for the others is it worth finding out what each part was before.
  return causes.length === 0 || old === undefined ? causes : walkOnce(root, value, old)
}

function walkOnce(root: SchemaNode, value: Json, old: Json | undefined): Cause[] {
  const walk = new SchemaWalk([], new PatternBudget())
  walk.node(root, value, old)
  return walk.causes
}

class SchemaWalk implements Findings {
  readonly path: PathPart[]
  readonly patterns: PatternBudget
  readonly causes: Cause[] = []
  /** How much was looked at: of several failed alternatives the one that says most explains best. */
  visited = 0

  constructor(path: PathPart[], patterns: PatternBudget) {
    this.path = path
    this.patterns = patterns
  }

  node(node: SchemaNode, value: Json, old: Json | undefined): void {
    const before = this.causes.length
    this.visited++
    if (value === null) this.#null(node)
    else this.#present(node, value, old)
    if (this.causes.length > before && old !== undefined && sameJson(value, old)) this.causes.length = before
  }

  #null(node: SchemaNode): void {
    if (node.types !== 0 && !node.nullable) this.causes.push(wrongType(this.path, node.typeText, 'null'))
    if (node.enumValues) checkEnum(node.enumValues, null, this)
  }

  #present(node: SchemaNode, value: Json, old: Json | undefined): void {
    this.#type(node, value)
    if (node.anyOf.length > 0 || node.oneOf.length > 0 || node.allOf.length > 0 || node.not) this.#junctors(node, value)
    if (typeof value === 'string') {
      if (node.strings) checkString(node.strings, value, this)
      if (node.formatCheck) {
        this.visited += 3
        checkFormat(node, value, this)
      }
    } else if (typeof value === 'number') {
      if (node.numbers) checkNumber(node.numbers, value, this)
    } else if (Array.isArray(value)) this.#list(node, value, old)
    if (node.enumValues) checkEnum(node.enumValues, value, this)
    if (isObject(value)) this.#object(node, value, old)
  }

  #type(node: SchemaNode, value: Json): void {
    if (node.types === 0) return
    this.visited++
    const bit = bitOf(value)
    // An integer is a number too.
    if ((node.types & bit) !== 0 || (bit === typeBits.integer && (node.types & typeBits.number) !== 0)) {
      this.visited++
      return
    }
    const isTextual = typeof value === 'string' || Array.isArray(value)
    const isNumeric = (node.types & (typeBits.integer | typeBits.number)) !== 0
    if (node.formatCheck && isTextual && !isNumeric) return
    if (node.formatCheck && !isTextual) this.causes.push(wrongType(this.path, node.format, goFormatOf(value)))
    else this.causes.push(wrongType(this.path, node.typeText, nameOf(bit)))
  }

  #list(node: SchemaNode, list: readonly Json[], old: Json | undefined): void {
    const { items } = node
    if (items) {
      const oldItems = oldItemsOf(node, old)
      for (let i = 0; i < list.length; i++) {
        const item = list[i]
        if (item === undefined) continue
        this.path.push(i)
        this.node(items, item, oldItems?.get(item))
        this.path.pop()
      }
    }
    if (node.itemCount) checkSize(node.itemCount, list.length, 'items', this)
  }

  #object(node: SchemaNode, object: JsonObject, old: Json | undefined): void {
    const keys = Object.keys(object)
    if (node.propertyCount) checkSize(node.propertyCount, keys.length, 'properties', this)
    if (node.properties.size > 0 || node.additional !== undefined) {
      const oldObject = isObject(old) ? old : undefined
      for (const key of keys) {
        const value = object[key]
        if (value !== undefined) this.#member(node, key, value, memberOf(oldObject, key))
      }
    }
    for (const key of node.required) if (!Object.hasOwn(object, key)) this.causes.push(missing([...this.path, key]))
  }

  #member(node: SchemaNode, key: string, value: Json, old: Json | undefined): void {
    const child = node.properties.get(key) ?? node.additional
    if (child === undefined || child === true) return
    if (child === false) {
      this.causes.push(badValue([...this.path, key], key, 'is a forbidden property'))
      return
    }
    this.path.push(key)
    this.node(child, value, old)
    this.path.pop()
  }

  #junctors(node: SchemaNode, value: Json): void {
    if (node.anyOf.length > 0) this.#anyOf(node.anyOf, value)
    if (node.oneOf.length > 0) this.#oneOf(node.oneOf, value)
    if (node.allOf.length > 0) this.#allOf(node.allOf, value)
    if (node.not && this.#try(node.not, value).causes.length === 0)
      this.causes.push(junctorFailed(this.path, 'must not validate the schema (not)'))
  }

  #try(node: SchemaNode, value: Json): SchemaWalk {
    const attempt = new SchemaWalk(this.path, this.patterns)
    attempt.node(node, value, undefined)
    return attempt
  }

  #anyOf(alternatives: readonly SchemaNode[], value: Json): void {
    let best: SchemaWalk | undefined
    for (const alternative of alternatives) {
      const attempt = this.#try(alternative, value)
      if (attempt.causes.length === 0) return
      if (!best || attempt.visited > best.visited) best = attempt
    }
    this.causes.push(junctorFailed(this.path, 'must validate at least one schema (anyOf)'))
    this.#adopt(best)
  }

  #oneOf(alternatives: readonly SchemaNode[], value: Json): void {
    let valid = 0
    let best: SchemaWalk | undefined
    for (const alternative of alternatives) {
      const attempt = this.#try(alternative, value)
      if (attempt.causes.length === 0) valid++
      else if (valid === 0 && (!best || attempt.visited > best.visited)) best = attempt
    }
    if (valid === 1) return
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    this.causes.push(junctorFailed(this.path, `must validate one and only one schema (oneOf). ${found}`))
    if (valid === 0) this.#adopt(best)
  }

  #adopt(attempt: SchemaWalk | undefined): void {
    this.visited += attempt?.visited ?? 0
    this.causes.push(...(attempt?.causes ?? []))
  }

  #allOf(parts: readonly SchemaNode[], value: Json): void {
    let valid = 0
    for (const part of parts) {
      const attempt = this.#try(part, value)
      if (attempt.causes.length === 0) valid++
      this.#adopt(attempt)
    }
    if (valid === parts.length) return
    this.causes.push(
      junctorFailed(this.path, `must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`),
    )
  }
}

function bitOf(value: Json): number {
  if (typeof value === 'string') return typeBits.string
  if (typeof value === 'boolean') return typeBits.boolean
  if (typeof value === 'number') return isInteger(value) ? typeBits.integer : typeBits.number
  return Array.isArray(value) ? typeBits.array : typeBits.object
}

/** Beyond 64 bits a whole number is a double. */
const isInteger = (value: number) => Number.isInteger(value) && Math.abs(value) < 2 ** 63

const nameOf = (bit: number) => Object.entries(typeBits).find(([, one]) => one === bit)?.[0] ?? ''

/** What the real server calls the format of a value that is no text. */
function goFormatOf(value: Json): string {
  if (typeof value !== 'number') return ''
  return isInteger(value) ? 'int64' : 'float64'
}

const memberOf = (object: JsonObject | undefined, key: string) =>
  object && Object.hasOwn(object, key) ? object[key] : undefined

/** Items of a list map are the same item when their keys are; those of other lists have no identity. */
function oldItemsOf(node: SchemaNode, old: Json | undefined): ItemsByKey | undefined {
  return node.listType === 'map' && Array.isArray(old) ? itemsByKey(node.mapKeys, old) : undefined
}
