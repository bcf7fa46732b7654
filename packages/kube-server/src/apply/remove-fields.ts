import type { Json, JsonObject } from '../api/object.ts'
import { type FieldSet, isMember } from './field-set.ts'
import { grainOf, itemShape } from './granularity.ts'
import { fieldElement, itemElement } from './path-element.ts'
import { free, isDeclared, memberShape, type Shape } from './shape.ts'

export interface Removal {
  /** What the applying manager claimed before. */
  readonly before: FieldSet
  /** What anybody claims now. */
  readonly claimed: FieldSet
}

/**
 * The value without the fields that were claimed before and that nobody claims now. A declared container counts as
 * claimed while anything below it is; declared containers left empty vanish. Undefined when nothing remains.
 */
export function removeAbandoned(value: Json, removal: Removal, shape: Shape): Json | undefined {
  const grain = grainOf(value, shape)
  if (grain.type === 'map') {
    const kept: [string, Json][] = []
    let isChanged = false
    for (const key of Object.keys(grain.value)) {
      const member = grain.value[key]
      if (member === undefined) continue
      const left = removeAt(
        member,
        fieldElement(key),
        isDeclared(grain.shape, key),
        removal,
        memberShape(grain.shape, key) ?? free,
      )
      isChanged ||= left !== member
      if (left !== undefined) kept.push([key, left])
    }
    return isChanged ? orNothing(kept.length, Object.fromEntries(kept)) : value
  }
  if (grain.type !== 'list') return value
  const kept: Json[] = []
  for (const item of grain.value) {
    const element = itemElement(grain.shape, item)
    const left = element === undefined ? item : removeAt(item, element, false, removal, itemShape(grain.shape))
    if (left !== undefined) kept.push(left)
  }
  const isSame = kept.length === grain.value.length && kept.every((item, position) => item === grain.value[position])
  return isSame ? value : orNothing(kept.length, kept)
}

const orNothing = (size: number, value: Json[] | JsonObject): Json | undefined => (size > 0 ? value : undefined)

function removeAt(value: Json, element: string, isNamed: boolean, removal: Removal, shape: Shape): Json | undefined {
  const before = removal.before[element]
  if (before === undefined || shape.type === 'untracked') return value
  const claimed = removal.claimed[element]
  if (isNamed ? claimed === undefined : isMember(before) && !isMember(claimed)) return undefined
  const left = removeAbandoned(value, { before, claimed: claimed ?? {} }, shape)
  // An entry of a map that somebody claims by itself stays, even with nothing in it.
  return left === undefined && !isNamed && isMember(claimed) ? {} : left
}
