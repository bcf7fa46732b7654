/** Adds the meter to a checked rule: every loop, call and comparison is charged before it runs. */
import { type CelNode, type Comprehension, calledName, childrenOf, countNodes, type Runnable, visit } from './ast.ts'
import type { Meter } from './meter.ts'
import { contains, isList, joinLists, sameValue } from './values.ts'

export function instrument(root: CelNode, source: string, meter: Meter): void {
  const errorCost = 150 + source.length / 20
  visit(root, node => {
    if (node.meta.alternate?.op === 'comprehension') meterLoop(node, node.meta.alternate, { meter, errorCost })
    else if (node.op === '||' || node.op === '&&') meterLogic(node, { meter, errorCost })
    else if (calledName(node) !== undefined) meterCall(node, meter)
    else meterOperator(node, meter)
  })
}

interface Charges {
  readonly meter: Meter
  /** An error is a hundred times as dear as a step, more so in a long rule: the library quotes the source in it. */
  readonly errorCost: number
}

/** One step costs as much as the body has nodes; what the body calls is charged there. */
function meterLoop(call: CelNode, loop: CelNode, charges: Charges): void {
  const { meter } = charges
  const comprehension = loop.args as Comprehension
  const step = chargingErrors(comprehension.step, charges)
  const cost =
    1 +
    childrenOf(call)
      .slice(1)
      .reduce((sum, child) => sum + countNodes(child), 0)
  comprehension.step = {
    evaluate(ev, _node, context) {
      meter.charge(cost)
      return step.evaluate(ev, step, context)
    },
  }
  wrap(loop, meter, items => (items instanceof Map || items instanceof Set ? items.size : 1))
}

/** An error on the left of `||` and `&&` may be swallowed. */
function meterLogic(node: CelNode, charges: Charges): void {
  if (node.left) node.left = chargingErrors(node.left, charges)
}

function chargingErrors(node: Runnable, { meter, errorCost }: Charges): Runnable {
  return {
    evaluate(ev, _node, context) {
      try {
        return node.evaluate(ev, node, context)
      } catch (error) {
        meter.charge(errorCost)
        throw error
      }
    },
  }
}

function meterCall(node: CelNode, meter: Meter): void {
  wrap(node, meter, args => {
    let length = 0
    if (Array.isArray(args)) for (const arg of args) length += textLength(arg)
    return 1 + length / 10
  })
}

const textLength = (value: unknown) => (typeof value === 'string' || value instanceof Uint8Array ? value.length : 0)

/** Charges by the first argument of the handler: the loop's range, or the call's arguments. */
function wrap(node: CelNode, meter: Meter, costOf: (first: unknown) => number): void {
  const { handle } = node
  if (!handle) return
  node.handle = (...args) => {
    meter.charge(costOf(args[0]))
    return handle(...args)
  }
}

const cheapTypes = new Set(['int', 'uint', 'double', 'bool'])

function meterOperator(node: CelNode, meter: Meter): void {
  const { handle } = node
  if (!handle || childrenOf(node).every(child => cheapTypes.has(child.checkedType?.name ?? ''))) return
  switch (node.op) {
    case '==':
      node.handle = (left, right) => sameValue(left, right, meter)
      break
    case '!=':
      node.handle = (left, right) => !sameValue(left, right, meter)
      break
    case 'in':
      node.handle = (value, collection) => contains(collection, value, meter)
      break
    case '+':
      node.handle = (left, right, ...rest) => {
        if (isList(left) && isList(right)) return joinLists(left, right, meter)
        meter.chargeText(textLength(left) + textLength(right))
        return handle(left, right, ...rest)
      }
      break
    case '<':
    case '<=':
    case '>':
    case '>=':
      node.handle = (left, right, ...rest) => {
        meter.charge(1 + Math.min(textLength(left), textLength(right)) / 10)
        return handle(left, right, ...rest)
      }
      break
    case '[]':
      node.handle = (list, ...rest) => {
        if (list instanceof Set) meter.charge(list.size)
        return handle(list, ...rest)
      }
  }
}
