/** Compiles one expression against the type of its scope, and runs it within a budget. */
import { type Environment, Optional, type ParseResult } from '@marcbachmann/cel-js'
import type { Json } from '../api/object.ts'
import { PatternError } from '../schema/pattern.ts'
import type { SchemaNode } from '../schema/schema-node.ts'
import { type CelNode, calledName, childrenOf, isTooDeep, treeOf, visit } from './ast.ts'
import { checkAccess } from './check-access.ts'
import { checkFormats } from './check-format.ts'
import { CompileError, describeCompileError, toCompileError, tooDeep, typeWords } from './compile-error.ts'
import type { DeclaredType } from './declared-types.ts'
import type { RuleEnvironment } from './environment.ts'
import { instrument } from './instrument.ts'
import { rewrite } from './rewrite.ts'
import { ruleWork } from './rule-work.ts'
import { describeRuntimeError } from './runtime-error.ts'

/** What the real compiler takes at most. */
const maxSourceLength = 100_000

export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'exhausted' }

export interface Program {
  readonly usesOldSelf: boolean
  /** Steps on the largest object, at least. */
  readonly work: number
  /** Never throws. `old` undefined: there is no old value. */
  run(self: Json, old: Json | undefined, limit: number): Outcome
}

export interface ProgramScope {
  readonly environment: RuleEnvironment
  /** Environment with `self` and `oldSelf` declared. */
  readonly env: Environment
  readonly type: DeclaredType
  /** The schema that `self` has. */
  readonly node: SchemaNode
  readonly hasOptionalOldSelf: boolean
}

/** Declares `self` and `oldSelf`. All types of the schema must be declared by now. */
export function programScope(
  environment: RuleEnvironment,
  node: SchemaNode,
  type: DeclaredType,
  hasOptionalOldSelf: boolean,
): ProgramScope {
  const env = environment.env
    .clone()
    .registerVariable('self', type.name)
    .registerVariable('oldSelf', hasOptionalOldSelf ? `optional<${type.name}>` : type.name)
  return { environment, env, type, node, hasOptionalOldSelf }
}

/** A program, or why there is none. */
export type Compiled = { readonly program: Program } | { readonly error: string }

export function compileProgram(source: string, wanted: 'bool' | 'string', scope: ProgramScope): Compiled {
  const prefix = wanted === 'bool' ? '' : 'messageExpression '
  try {
    const parsed = parse(source, scope)
    const type = parsed.check().type ?? ''
    if (type !== wanted)
      return {
        error:
          wanted === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string',
      }
    const tree = treeOf(parsed)
    const work = ruleWork(tree, scope.node, scope.hasOptionalOldSelf)
    instrument(tree, source, scope.environment.meter)
    return { program: { usesOldSelf: usesOldSelf(tree), work, run: runner(parsed, scope) } }
  } catch (error) {
    if (error instanceof PatternError) return { error: `${prefix}program instantiation failed: ${error.message}` }
    const complaint = toCompileError(error, source, name => isKnownFunction(scope, name))
    return { error: `${prefix}compilation failed: ${describeCompileError(source, complaint)}` }
  }
}

function parse(source: string, { env, environment }: ProgramScope): ParseResult {
  if (source.length > maxSourceLength)
    throw new CompileError(
      `expression code point size exceeds limit: size: ${source.length}, limit ${maxSourceLength}`,
      0,
    )
  const parsed = env.parse(source)
  const tree = treeOf(parsed)
  if (isTooDeep(tree)) throw tooDeep()
  rewrite(tree, source, environment.replaced)
  const { error } = parsed.check()
  if (error) throw error
  checkAccess(tree, { source, fields: environment.fields })
  checkAggregates(tree)
  checkFormats(tree, source)
  return parsed
}

const isKnownFunction = ({ env }: ProgramScope, name: string) =>
  env.getDefinitions().functions.some(one => one.name === name || one.name === `x_${name}`)

const usesOldSelf = (tree: CelNode): boolean => {
  let found = false
  visit(tree, node => {
    if (node.op === 'id' && node.args === 'oldSelf') found = true
  })
  return found
}

/** Lists and maps hold one type of value. */
function checkAggregates(node: CelNode): void {
  const children = childrenOf(node)
  if (node.op === 'list') checkSameType(children)
  else if (node.op === 'map') for (const offset of [0, 1]) checkSameType(children.filter((_, i) => i % 2 === offset))
  // The values for `format` may be of any types, however deep.
  const checked = node.op === 'rcall' && calledName(node) === 'format' ? children.slice(0, 1) : children
  for (const child of checked) checkAggregates(child)
}

function checkSameType(nodes: readonly CelNode[]): void {
  const names = nodes.map(node => node.checkedType?.name ?? 'dyn')
  const first = names.find(name => !name.includes('dyn') && !/<[A-Z]\b/.test(name))
  const stray = names.findIndex(
    name => first !== undefined && name !== first && !name.includes('dyn') && !/<[A-Z]\b/.test(name),
  )
  const node = nodes[stray]
  if (node)
    throw new CompileError(
      `expected type '${typeWords(first ?? '')}' but found '${typeWords(names[stray] ?? '')}'`,
      node.pos,
    )
}

function runner(parsed: ParseResult, { type, hasOptionalOldSelf, environment }: ProgramScope): Program['run'] {
  const { meter } = environment
  return (self, old, limit) => {
    meter.start(limit)
    try {
      const oldSelf = old === undefined ? undefined : type.convert(old)
      const value: unknown = parsed({
        self: type.convert(self),
        oldSelf: hasOptionalOldSelf ? optional(oldSelf) : oldSelf,
      })
      return meter.isExhausted ? { kind: 'exhausted' } : { kind: 'value', value }
    } catch (error) {
      return meter.isExhausted ? { kind: 'exhausted' } : { kind: 'error', message: describeRuntimeError(error) }
    }
  }
}

const optional = (value: unknown) => (value === undefined ? Optional.none() : Optional.of(value))
