/** What the CEL library lacks of optional values: ofNonZeroValue, optMap, optFlatMap. */
import { Optional } from '@marcbachmann/cel-js'
import type { CelNode, Checker, Evaluator, Macro, Scope, TypeInfo } from '../ast.ts'
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'
import { isList, sameValue, sizeOf } from '../values.ts'

export function registerOptionals({ env, add, meter }: Registrar): void {
  env.registerOperator('optional<A> == optional<A>', (left: unknown, right: unknown) => sameValue(left, right, meter))
  add('OptionalNamespace.ofNonZeroValue(A): optional<A>', (_: unknown, value: unknown) =>
    isZero(value) ? Optional.none() : Optional.of(value),
  )
  env.registerFunction(
    'optional.optMap(ast, ast): optional<dyn>',
    (call: unknown) => mapMacro(call as MacroCall, false),
    {
      async: false,
    },
  )
  env.registerFunction(
    'optional.optFlatMap(ast, ast): optional<dyn>',
    (call: unknown) => mapMacro(call as MacroCall, true),
    {
      async: false,
    },
  )
}

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true
  if (isList(value)) return sizeOf(value) === 0
  return value instanceof Map && value.size === 0 && !('declared' in value)
}

interface MacroCall {
  readonly receiver: CelNode
  readonly args: readonly CelNode[]
}

interface Mapping {
  readonly receiver: CelNode
  readonly variable: string
  readonly body: CelNode
  /** The body makes an optional itself. */
  readonly isFlat: boolean
}

function mapMacro({ receiver, args }: MacroCall, isFlat: boolean): Macro {
  const [variable, body] = args
  if (variable?.op !== 'id' || !body) throw new RuleError('optMap() variable name must be a simple identifier')
  const mapping: Mapping = { receiver, variable: String(variable.args), body, isFlat }
  let scope: Scope | undefined
  return {
    async: false,
    typeCheck(checker, _macro, context) {
      const type = checker.check(receiver, context)
      const inner = type.kind === 'optional' && type.valueType ? type.valueType : checker.getType('dyn')
      scope = context.forkWithVariable(mapping.variable, inner)
      return resultType(checker, checker.check(body, scope), mapping)
    },
    evaluate: (ev, _macro, context) =>
      scope ? evaluateMapping(ev, mapping, scope.reuse(context), context) : undefined,
  }
}

function resultType(checker: Checker, body: TypeInfo, { isFlat }: Mapping): TypeInfo {
  if (isFlat) return body.kind === 'optional' ? body : checker.getType('optional')
  return checker.registry.getOptionalType(body)
}

function evaluateMapping(ev: Evaluator, mapping: Mapping, inner: Scope, outer: Scope): unknown {
  const value = ev.run(mapping.receiver, outer)
  if (!(value instanceof Optional)) throw new RuleError('no such overload')
  if (!value.hasValue()) return Optional.none()
  const mapped = ev.run(mapping.body, inner.setIterValue(value.value(), ev))
  return mapping.isFlat ? mapped : Optional.of(mapped)
}
