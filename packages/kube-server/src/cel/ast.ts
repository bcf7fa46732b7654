/**
 * The parts of the CEL library's syntax tree that are read and changed here, beyond what its types declare. Changes are
 * made before type checking (names, macros) or right after it (handlers), never during evaluation.
 */
import type { ParseResult } from '@marcbachmann/cel-js'

export interface TypeInfo {
  readonly kind: string
  readonly name: string
  readonly valueType?: TypeInfo
}

/** Runs a node; the library hands it to every handler. */
export interface Evaluator {
  run(node: CelNode, context: unknown): unknown
  debugType(value: unknown): { fieldLazy(value: unknown, key: unknown, node: CelNode, ev: Evaluator): unknown }
}

export interface Checker {
  check(node: CelNode, context: Scope): TypeInfo
  getType(name: string): TypeInfo
  createError(code: string, message: string, node: CelNode): Error
  readonly registry: { getOptionalType(type: TypeInfo): TypeInfo }
}

/** Variables in sight. `reuse` and `setIterValue` bind the one that a fork added. */
export interface Scope {
  forkWithVariable(name: string, type: TypeInfo): Scope
  reuse(parent: Scope): Scope
  setIterValue(value: unknown, ev: Evaluator): Scope
}

export interface Macro {
  readonly async: false
  typeCheck(checker: Checker, macro: Macro, context: Scope): TypeInfo
  evaluate(ev: Evaluator, macro: Macro, context: Scope): unknown
}

/** What the evaluator needs of a node. */
export interface Runnable {
  evaluate(ev: Evaluator, node: unknown, context: unknown): unknown
}

export interface CelNode extends Runnable {
  readonly op: string
  args: unknown
  readonly pos: number
  readonly start: number
  readonly end: number
  readonly checkedType?: TypeInfo
  readonly meta: { readonly alternate?: CelNode; readonly macro?: Macro }
  handle?: (...args: unknown[]) => unknown
  /** First operand, as the library runs it. */
  left?: Runnable
  setMeta(key: string, value: unknown): CelNode
}

export interface Comprehension {
  readonly iterable: CelNode
  readonly init: CelNode
  step: Runnable
}

export const treeOf = (parsed: ParseResult): CelNode => parsed.ast as unknown as CelNode

/** Name of the function that a node calls; undefined for other nodes. */
export function calledName(node: CelNode): string | undefined {
  return node.op === 'call' || node.op === 'rcall' ? String((node.args as unknown[])[0]) : undefined
}

/** Nodes directly below, as written: receiver, arguments, operands, elements. */
export function childrenOf(node: CelNode): CelNode[] {
  const found: CelNode[] = []
  collect(node.args, found)
  return found
}

function collect(part: unknown, found: CelNode[]): void {
  if (Array.isArray(part)) for (const one of part) collect(one, found)
  else if (isNode(part)) found.push(part)
}

const isNode = (part: unknown): part is CelNode =>
  typeof part === 'object' && part !== null && 'op' in part && 'args' in part

/** Chains of operators are as deep as they are long; the parser bounds brackets, calls and the like only. */
const maxTreeDepth = 400

/** Whether walking the tree by recursion could use up the stack. */
export function isTooDeep(root: CelNode): boolean {
  let level = [root]
  for (let depth = 0; depth < maxTreeDepth; depth++) {
    level = level.flatMap(childrenOf)
    if (level.length === 0) return false
  }
  return true
}

/** Visits a tree from the top. */
export function visit(node: CelNode, visitor: (node: CelNode) => void): void {
  visitor(node)
  for (const child of childrenOf(node)) visit(child, visitor)
}

/** Number of nodes, the node itself included. */
export function countNodes(node: CelNode): number {
  let count = 1
  for (const child of childrenOf(node)) count += countNodes(child)
  return count
}
