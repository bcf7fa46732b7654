/**
 * Sets of field paths in the very form Kubernetes stores them (FieldsV1): a tree whose keys are path elements
 * (`f:name`, `k:{"name":"x"}`, `v:"x"`). An element is itself in the set when its node is empty or holds `.`.
 * Nothing is decoded or encoded; sets are immutable and share unchanged nodes.
 * Every element is prefixed, so a field called `__proto__` is the harmless key `f:__proto__`.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** A node without children: the element it hangs from is in the set. As a root: the empty set. */
export const none: FieldSet = Object.freeze({})

/** True for the empty set, and for a node that is a plain leaf. */
export function isBare(node: FieldSet): boolean {
  for (const _ in node) return false
  return true
}

/** Is the element that `node` hangs from in the set, and not only some of its descendants? */
export function isMember(node: FieldSet | undefined): boolean {
  return node !== undefined && ('.' in node || isBare(node))
}

/** The node with its own element in the set. */
export function withMember(node: FieldSet): FieldSet {
  return isMember(node) ? node : { '.': none, ...node }
}

/** All paths of both. Returns `left` itself when `right` adds nothing. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isBare(right)) return left
  if (isBare(left)) return right
  return unionChildren(left, right)
}

function unionChildren(left: FieldSet, right: FieldSet): FieldSet {
  let changed: { [element: string]: FieldSet } | undefined
  for (const element in right) {
    const mine = left[element]
    const theirs = right[element] ?? none
    const both = mine === undefined ? theirs : unionNodes(mine, theirs)
    if (both === mine) continue
    changed ??= { ...left }
    changed[element] = both
  }
  return changed ?? left
}

function unionNodes(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left
  if (isBare(right)) return withMember(left)
  if (isBare(left)) return withMember(right)
  return unionChildren(left, right)
}

/** `left` without exactly the paths in `right`; descendants stay. Returns `left` itself when nothing goes. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return withoutChildren(left, right) ?? none
}

/** Undefined when nothing is left. */
function withoutChildren(left: FieldSet, right: FieldSet): FieldSet | undefined {
  let changed: { [element: string]: FieldSet } | undefined
  for (const element in shorter(left, right)) {
    const mine = left[element]
    const theirs = right[element]
    if (mine === undefined || theirs === undefined) continue
    const rest = withoutNode(mine, theirs)
    if (rest === mine) continue
    changed ??= { ...left }
    if (rest === undefined) delete changed[element]
    else changed[element] = rest
  }
  if (changed === undefined) return left
  return canonical(changed)
}

const FEW_ELEMENTS = 8

/** The side to go through: thousands of owners of a few fields each may meet a change of thousands of fields. */
function shorter(left: FieldSet, right: FieldSet): FieldSet {
  let count = 0
  for (const _ in left) if (++count > FEW_ELEMENTS) return right
  return left
}

function withoutNode(left: FieldSet, right: FieldSet): FieldSet | undefined {
  if (isBare(left)) return isMember(right) ? undefined : left
  // Looking whether a node is bare takes as long as it is large, so only when it matters.
  if (!('.' in left) || '.' in right || !isBare(right)) return withoutChildren(left, right)
  const { '.': _, ...rest } = left
  return isBare(rest) ? undefined : rest
}

/** A node reduced to its own membership is written as a plain leaf; one that holds nothing is undefined. */
export function canonical(node: FieldSet): FieldSet | undefined {
  let hasMember = false
  for (const element in node) {
    if (element !== '.') return node
    hasMember = true
  }
  return hasMember ? none : undefined
}

/** The paths in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return commonChildren(left, right) ?? none
}

function commonChildren(left: FieldSet, right: FieldSet): FieldSet | undefined {
  const common: { [element: string]: FieldSet } = {}
  for (const element in shorter(left, right)) {
    const mine = left[element]
    const theirs = right[element]
    const node = mine && theirs && commonNode(mine, theirs)
    if (node !== undefined) common[element] = node
  }
  return canonical(common)
}

function commonNode(left: FieldSet, right: FieldSet): FieldSet | undefined {
  if (isBare(left)) return isMember(right) ? none : undefined
  if (isBare(right)) return isMember(left) ? none : undefined
  return commonChildren(left, right)
}

/** Are both sets made of the same paths? */
export function sameSet(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true
  let count = 0
  for (const element in right) {
    const mine = left[element]
    const theirs = right[element]
    if (mine === undefined || theirs === undefined || !sameSet(mine, theirs)) return false
    count++
  }
  for (const _ in left) count--
  return count === 0
}

/** All paths of the set, each as its list of elements: those of one node in order, before what is below them. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  const elements = Object.keys(set)
    .filter(element => element !== '.')
    .sort()
  for (const element of elements) if (isMember(set[element])) yield [...prefix, element]
  for (const element of elements) yield* pathsOf(set[element] ?? none, [...prefix, element])
}
