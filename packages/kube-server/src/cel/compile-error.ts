/** Complaints about a rule that does not compile, in the words and with the pointer of the real server's compiler. */
import { type CelNode, childrenOf } from './ast.ts'

export class CompileError extends Error {
  override readonly name = 'CompileError'
  /** Offset in the source that the complaint is about. */
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

export const undeclared = (name: string, at: number) =>
  new CompileError(`undeclared reference to '${name}' (in container '')`, at)

export const tooDeep = () => new CompileError('max recursion depth exceeded', 0)

/** Longest source line that is repeated in a complaint. */
const maxShownLine = 500

/** `ERROR: <input>:1:5: …` with the line and a caret below it. */
export function describeCompileError(source: string, { message, at }: CompileError): string {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length
  const text = (source.split('\n')[line - 1] ?? '').slice(0, maxShownLine)
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${'.'.repeat(Math.min(column, maxShownLine))}^`
}

/** What the CEL library throws for a bad expression. */
interface LibraryError {
  readonly code: string
  readonly summary: string
  readonly node?: unknown
  readonly range?: { readonly start: number }
}

const isLibraryError = (error: unknown): error is LibraryError =>
  error instanceof Error && 'code' in error && 'summary' in error

/** Puts the library's complaint into the words of the real server. Rethrows what is none. */
export function toCompileError(
  error: unknown,
  source: string,
  isKnownFunction: (name: string) => boolean,
): CompileError {
  if (error instanceof CompileError) return error
  // The stack is used up: the parser calls itself for each `!` and `-`.
  if (error instanceof RangeError) return tooDeep()
  if (!isLibraryError(error)) throw error
  const node = nodeOf(error.node)
  const at = node ? anchorOf(node, source) : (error.range?.start ?? 0)
  const { code, summary } = error
  switch (code) {
    case 'no_such_key':
      return new CompileError(`undefined field '${summary.replace(/^No such key: /, '')}'`, at)
    case 'unknown_variable':
      return undeclared(summary.replace(/^Unknown variable: /, ''), at)
    case 'no_such_overload':
      return new CompileError(operatorMessage(summary), at)
    case 'no_matching_overload': {
      const name = String((node?.args as unknown[] | undefined)?.[0] ?? '').replace(/^x_/, '')
      return isKnownFunction(name) ? new CompileError(functionMessage(name, node), at) : undeclared(name, at)
    }
    case 'cannot_index_type':
    case 'invalid_index_type':
      return new CompileError(node ? accessMessage(node) : summary, at)
    default:
      return new CompileError(node ? typeWords(summary) : `Syntax error: ${summary}`, at)
  }
}

const nodeOf = (value: unknown): CelNode | undefined =>
  typeof value === 'object' && value !== null && 'op' in value ? (value as CelNode) : undefined

function operatorMessage(summary: string): string {
  const match = /^no such overload: (.*) (==|!=|in|[-+*/%]|<=?|>=?) (.*)$/.exec(summary)
  if (!match) return typeWords(summary)
  const operator = match[2] === 'in' ? '@in' : `_${match[2]}_`
  return `found no matching overload for '${operator}' applied to '(${typeWords(match[1] ?? '')}, ${typeWords(match[3] ?? '')})'`
}

const accessOperators: ReadonlyMap<string, string> = new Map([
  ['[]', '_[_]'],
  ['[?]', '_[?_]'],
])

function accessMessage(node: CelNode): string {
  const types = childrenOf(node).map(child => typeWords(child.checkedType?.name ?? 'dyn'))
  const operator = accessOperators.get(node.op)
  return operator
    ? `found no matching overload for '${operator}' applied to '(${types.join(', ')})'`
    : `type '${types[0]?.replace(/^optional_type\((.*)\)$/, '$1')}' does not support field selection`
}

function functionMessage(name: string, node: CelNode | undefined): string {
  const types = (node ? childrenOf(node) : []).map(child => typeWords(child.checkedType?.name ?? 'dyn'))
  if (node?.op !== 'rcall') return `found no matching overload for '${name}' applied to '(${types.join(', ')})'`
  const [receiver, ...args] = types
  return `found no matching overload for '${name}' applied to '${receiver}.(${args.join(', ')})'`
}

/** Type names as the real compiler writes them. */
export function typeWords(text: string): string {
  return text
    .replace(/google\.protobuf\.(Timestamp|Duration)/g, (_, name: string) => name.toLowerCase())
    .replace(/k8s\.T\d+/g, 'object')
    .replace(/optional</g, 'optional_type<')
    .replace(/</g, '(')
    .replace(/>/g, ')')
}

/** Where a complaint about a node points: its operator, dot or bracket. */
export function anchorOf(node: CelNode, source: string): number {
  const [first] = childrenOf(node)
  switch (node.op) {
    case '.':
    case '.?':
      return Math.max(source.lastIndexOf('.', node.pos - 1), 0)
    case 'call':
      return find(source, '(', node.start, node)
    case 'rcall':
      return find(source, '(', first?.end ?? node.start, node)
    case '[]':
    case '[?]':
      return find(source, '[', first?.end ?? node.start, node)
    case '?:':
      return find(source, '?', first?.end ?? node.start, node)
    case '==':
    case '!=':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '&&':
    case '||':
      return find(source, node.op, first?.end ?? node.start, node)
    default:
      return node.pos
  }
}

function find(source: string, token: string, from: number, node: CelNode): number {
  const found = source.indexOf(token, from)
  return found < 0 ? node.pos : found
}
