/** Changes a parsed rule before it is checked: own functions in place of the library's, and a `has` that reads anything. */
import { Optional } from '@marcbachmann/cel-js'
import { compilePattern, PatternError } from '../schema/pattern.ts'
import { type CelNode, calledName, childrenOf, type Macro } from './ast.ts'
import { anchorOf, CompileError, toCompileError, undeclared } from './compile-error.ts'
import { parseDuration } from './duration.ts'
import { replacedPrefix } from './registrar.ts'

/** Functions that the CEL library has and Kubernetes does not; `json` would even make numbers of the wrong type. */
const foreignMethods = new Set(['json', 'hex', 'base64', 'at', 'string', 'bind'])

/** Throws `CompileError` for what rules of custom resources may not use. */
export function rewrite(node: CelNode, source: string, replaced: ReadonlySet<string>): void {
  const name = calledName(node)
  if (name !== undefined) rewriteCall(node, name, source, replaced)
  for (const child of childrenOf(node)) rewrite(child, source, replaced)
}

function rewriteCall(node: CelNode, name: string, source: string, replaced: ReadonlySet<string>): void {
  checkLiteral(node, name)
  if (node.op === 'call') {
    const [operand] = childrenOf(node)
    if (name === 'has' && operand) node.setMeta('macro', hasMacro(operand, anchorOf(node, source), source))
    return
  }
  const [receiver] = childrenOf(node)
  if (foreignMethods.has(name))
    throw name === 'bind' && receiver?.op === 'id' && receiver.args === 'cel'
      ? undeclared('cel', receiver.pos)
      : undeclared(name, anchorOf(node, source))
  // Macros are expanded by now and have no other meaning.
  if (replaced.has(name) && !node.meta.alternate && !node.meta.macro)
    node.args = [replacedPrefix + name, ...(node.args as unknown[]).slice(1)]
}

/** Literal patterns, durations and times are checked at once. Throws `PatternError` for those of find and findAll. */
function checkLiteral(node: CelNode, name: string): void {
  const args = childrenOf(node)
  const isPatternCall = name === 'matches' || name === 'find' || name === 'findAll'
  const literal = isPatternCall ? args[1] : args[0]
  if (literal?.op !== 'value' || typeof literal.args !== 'string') return
  if (name === 'find' || name === 'findAll') compilePattern(literal.args)
  const isGood = literalChecks.get(name)
  if (isGood && !isGood(literal.args)) throw new CompileError(`invalid ${name} argument`, literal.pos)
}

const literalChecks: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['matches', isPattern],
  ['duration', text => /^[+-]?[0-9.]/.test(text) && parseDuration(text) !== undefined],
  ['timestamp', text => !Number.isNaN(new Date(text).getTime())],
])

function isPattern(text: string): boolean {
  try {
    compilePattern(text)
    return true
  } catch (error) {
    if (error instanceof PatternError) return false
    throw error
  }
}

/** `has(a.b)` for any `a`: the library's own reads only chains of fields. */
function hasMacro(operand: CelNode, at: number, source: string): Macro {
  const [object] = childrenOf(operand)
  return {
    async: false,
    typeCheck(checker, _macro, context) {
      if (operand.op !== '.' || !object) throw new CompileError('invalid argument to has() macro', operand.pos)
      checker.check(object, context)
      try {
        checker.check(operand, context)
      } catch (error) {
        // Checked as an access, so that unknown fields are found out; but the complaint points at the macro.
        throw new CompileError(toCompileError(error, source, () => true).message, at)
      }
      return checker.getType('bool')
    },
    evaluate(ev, _macro, context) {
      if (!object) return false
      const value = ev.run(object, context)
      const name = (operand.args as readonly [CelNode, string])[1]
      const field = ev.debugType(value).fieldLazy(value, name, operand, ev)
      return field instanceof Optional ? field.hasValue() : field !== undefined
    },
  }
}
