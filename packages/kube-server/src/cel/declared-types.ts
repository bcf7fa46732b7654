/**
 * Gives each schema node the type that rules see, and the conversion of its values. Objects become instances of a class
 * of their own that convert a field when it is first read: a rule reads few of the fields of a large object.
 */

import { Duration } from '@marcbachmann/cel-js/evaluator'
import type { Json, JsonObject } from '../api/object.ts'
import { isObject, own } from '../patch/json-value.ts'
import { isBase64 } from '../schema/formats.ts'
import { type SchemaNode, typeBits } from '../schema/schema-node.ts'
import { parseDuration } from './duration.ts'
import type { RuleEnvironment } from './environment.ts'
import { escapedName } from './field-names.ts'
import { RuleError } from './rule-error.ts'
import { type Fielded, markKeyedList, sameValue } from './values.ts'

/** How rules see the values of one schema node. */
export interface DeclaredType {
  /** In the words of the CEL library: `int`, `list<string>`, `k8s.T3`. */
  readonly name: string
  /** A value of the wrong kind comes out as it is; the rule then fails with a type error. */
  convert(value: Json): unknown
}

interface Field {
  /** As it stands in the JSON. */
  readonly name: string
  readonly type: DeclaredType
}

const scalar = (name: string, convert: (value: Json) => unknown): DeclaredType => ({ name, convert })
const asIs = (value: Json) => value

const string = scalar('string', asIs)
const bool = scalar('bool', asIs)
const double = scalar('double', asIs)
const int = scalar('int', integer)
const bytes = scalar('bytes', value =>
  typeof value === 'string' && isBase64(value) ? Buffer.from(value, 'base64') : value,
)
const timestamp = scalar('google.protobuf.Timestamp', value => timeOf(value, text => text.toUpperCase()))
const date = scalar('google.protobuf.Timestamp', value => timeOf(value, text => `${text}T00:00:00Z`))
const duration = scalar('google.protobuf.Duration', durationOf)
const intOrString = scalar('dyn', value => (typeof value === 'number' ? integer(value) : value))

function integer(value: Json): unknown {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value) : value
}

function timeOf(value: Json, complete: (text: string) => string): unknown {
  if (typeof value !== 'string') return value
  const time = new Date(complete(value))
  return Number.isNaN(time.getTime()) ? value : time
}

function durationOf(value: Json): unknown {
  if (typeof value !== 'string') return value
  const nanos = parseDuration(value)
  return nanos === undefined ? value : new Duration(nanos / 1_000_000_000n, Number(nanos % 1_000_000_000n))
}

export class DeclaredTypes {
  readonly #environment: RuleEnvironment
  readonly #known = new Map<SchemaNode, DeclaredType | undefined>()
  #count = 0

  constructor(environment: RuleEnvironment) {
    this.#environment = environment
  }

  /** Undefined for what rules cannot see: data without a schema. `isResource`: apiVersion, kind and names are visible. */
  typeOf(node: SchemaNode, isResource = node.embedded): DeclaredType | undefined {
    if (this.#known.has(node)) return this.#known.get(node)
    const type = this.#declare(node, isResource)
    this.#known.set(node, type)
    return type
  }

  #declare(node: SchemaNode, isResource: boolean): DeclaredType | undefined {
    if (node.intOrString) return intOrString
    switch (node.types) {
      case typeBits.string:
        return textType(node.format)
      case typeBits.integer:
        return int
      case typeBits.number:
        return double
      case typeBits.boolean:
        return bool
      case typeBits.array:
        return this.#list(node)
      case typeBits.object:
        return typeof node.additional === 'object' && !isResource
          ? this.#map(node.additional)
          : this.#object(node, isResource)
      default:
        return undefined
    }
  }

  #list(node: SchemaNode): DeclaredType | undefined {
    const item = node.items && this.#element(node.items)
    if (!item) return undefined
    const { meter } = this.#environment
    const isScalarSet = node.listType === 'set' && !item.name.includes('.') && !item.name.includes('<')
    const keys = node.listType === 'map' ? node.mapKeys.map(key => escapedName(key) ?? key) : undefined
    return {
      name: `list<${item.name}>`,
      convert(value) {
        if (!Array.isArray(value)) return value
        meter.charge(value.length / 10)
        const items = value.map(one => item.convert(one))
        if (isScalarSet) return new Set(items)
        return keys ? markKeyedList(items, keys) : items
      },
    }
  }

  #map(values: SchemaNode): DeclaredType | undefined {
    const item = this.#element(values)
    if (!item) return undefined
    const { meter } = this.#environment
    return {
      name: `map<string, ${item.name}>`,
      convert(value) {
        if (!isObject(value)) return value
        const members = Object.entries(value)
        meter.charge(members.length / 10)
        return new Map(members.map(([key, one]) => [key, item.convert(one ?? null)]))
      },
    }
  }

  /** Items may be null where the schema says so; no static type of CEL allows for that. */
  #element(node: SchemaNode): DeclaredType | undefined {
    const type = this.typeOf(node)
    return type && node.nullable ? scalar('dyn', value => (value === null ? null : type.convert(value))) : type
  }

  #object(node: SchemaNode, isResource: boolean): DeclaredType {
    const fields = new Map<string, Field>()
    for (const [name, child] of node.properties) {
      const escaped = escapedName(name)
      const type = escaped === undefined ? undefined : this.typeOf(child)
      if (escaped !== undefined && type) fields.set(escaped, { name, type })
    }
    if (isResource) for (const [name, type] of this.#resourceFields()) fields.set(name, { name, type })
    return this.#register(fields)
  }

  #resourceFields(): (readonly [string, DeclaredType])[] {
    const metadata = this.#register(
      new Map(['name', 'generateName'].map(name => [name, { name, type: string }] as const)),
    )
    return [
      ['apiVersion', string],
      ['kind', string],
      ['metadata', metadata],
    ]
  }

  #register(fields: ReadonlyMap<string, Field>): DeclaredType {
    const { env, meter } = this.#environment
    const name = `k8s.T${this.#count++}`
    this.#environment.fields.set(name, new Set(fields.keys()))
    const FieldedObject = fieldedClass(fields)
    env.registerType(name, {
      ctor: FieldedObject,
      fields: Object.fromEntries([...fields].map(([field, { type }]) => [field, type.name])),
    })
    env.registerOperator(`${name} == ${name}`, (left: unknown, right: unknown) => sameValue(left, right, meter))
    return { name, convert: value => (isObject(value) ? new FieldedObject(value) : value) }
  }
}

function textType(format: string): DeclaredType {
  switch (format) {
    case 'byte':
      return bytes
    case 'date':
      return date
    case 'date-time':
      return timestamp
    case 'duration':
      return duration
    default:
      return string
  }
}

/** A subclass of `Map`, because the CEL library reads fields through `get` only from maps. */
function fieldedClass(fields: ReadonlyMap<string, Field>): new (json: JsonObject) => Map<string, unknown> & Fielded {
  return class FieldedObject extends Map<string, unknown> {
    readonly #json: JsonObject

    constructor(json: JsonObject) {
      super()
      this.#json = json
    }

    /** Null counts as absent: that is how a nullable field shows. */
    override get(name: string): unknown {
      const known = super.get(name)
      if (known !== undefined) return known
      const field = fields.get(name)
      const value = field && own(this.#json, field.name)
      if (value === undefined || value === null) return undefined
      const converted = field?.type.convert(value)
      super.set(name, converted)
      return converted
    }

    get declared(): readonly string[] {
      return [...fields.keys()].filter(name => this.get(name) !== undefined)
    }

    /** An object is no map: nothing may iterate over its fields. */
    override keys(): never {
      throw new RuleError('no such overload')
    }
  }
}
