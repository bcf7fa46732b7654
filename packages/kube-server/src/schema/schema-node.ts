/** A schema as the walkers use it: parsed once, every keyword in its own typed member, maps instead of objects. */
import type { Json, JsonObject } from '../api/object.ts'
import type { FormatCheck } from './formats.ts'
import type { Pattern } from './pattern.ts'

/** Bits of `SchemaNode.types`. */
export const typeBits = Object.freeze({ object: 1, array: 2, string: 4, integer: 8, number: 16, boolean: 32 })
export type TypeName = keyof typeof typeBits

export interface NumberLimits {
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly exclusiveMinimum: boolean
  readonly exclusiveMaximum: boolean
  readonly multipleOf: number | undefined
}

export interface StringLimits {
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
  /** Compiled at first use: most patterns of a large definition are never met. */
  readonly pattern: (() => Pattern) | undefined
}

export interface EnumValues {
  readonly list: readonly Json[]
  /** Those that are no objects or lists. */
  readonly scalars: ReadonlySet<Json>
}

export interface SizeLimits {
  readonly min: number | undefined
  readonly max: number | undefined
}

/** One entry of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string
  readonly message: string
  readonly messageExpression: string
  readonly reason: string
  readonly fieldPath: string
  readonly optionalOldSelf: boolean | undefined
}

/** `of` reads one keyword group; undefined members cost one comparison in the walk. */
export interface SchemaNode {
  /** Union of `typeBits`; 0 when any type goes. */
  readonly types: number
  /** For messages: `integer` or `integer,string`. */
  readonly typeText: string
  readonly nullable: boolean
  readonly intOrString: boolean
  readonly preserves: boolean
  readonly embedded: boolean
  readonly format: string
  readonly formatCheck: FormatCheck | undefined
  readonly defaultValue: Json | undefined
  readonly properties: ReadonlyMap<string, SchemaNode>
  /** Properties that have a default. */
  readonly defaulted: readonly (readonly [string, Json])[]
  /** Schema of the values of a map; true when anything goes; false when nothing; undefined when not given. */
  readonly additional: SchemaNode | boolean | undefined
  readonly items: SchemaNode | undefined
  readonly required: readonly string[]
  readonly enumValues: EnumValues | undefined
  readonly numbers: NumberLimits | undefined
  readonly strings: StringLimits | undefined
  readonly itemCount: SizeLimits | undefined
  readonly propertyCount: SizeLimits | undefined
  readonly listType: 'atomic' | 'set' | 'map' | undefined
  readonly mapKeys: readonly string[]
  readonly anyOf: readonly SchemaNode[]
  readonly oneOf: readonly SchemaNode[]
  readonly allOf: readonly SchemaNode[]
  readonly not: SchemaNode | undefined
  readonly rules: readonly ValidationRule[]
  /** What the schema says here or anywhere below, so that whole branches can be skipped. */
  readonly below: {
    readonly rules: boolean
    readonly lists: boolean
    readonly embedded: boolean
  }
  readonly source: JsonObject
}
