/** Fields and keys that a rule asks for and that its types cannot have, where the CEL library would wait and see. */
import { type CelNode, calledName, childrenOf } from './ast.ts'
import { anchorOf, CompileError, typeWords } from './compile-error.ts'

export interface AccessScope {
  readonly source: string
  /** Names of the fields of each type with declared fields. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>
}

/** Throws `CompileError`. The tree must be type-checked. */
export function checkAccess(node: CelNode, scope: AccessScope, at = anchorOf(node, scope.source)): void {
  const children = childrenOf(node)
  const [receiver, key] = children
  if (node.op === '.' || node.op === '.?') checkField(receiver, fieldName(node), at, scope.fields)
  else if ((node.op === '[]' || node.op === '[?]') && receiver && key) checkKey(receiver, key, at)
  // The complaint about `has(a.b)` points at the macro.
  const operandAt = calledName(node) === 'has' ? at : undefined
  for (const child of children) checkAccess(child, scope, operandAt)
}

/** The name after the dot; `a.?b` holds it as a literal. */
function fieldName(node: CelNode): string {
  const name = (node.args as readonly unknown[])[1]
  return typeof name === 'object' && name !== null && 'args' in name ? String(name.args) : String(name)
}

const fieldless = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'null',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
])

function checkField(
  receiver: CelNode | undefined,
  name: string,
  at: number,
  fields: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const type = typeOf(receiver)
  if (fieldless.has(type) || type.startsWith('list<'))
    throw new CompileError(`type '${typeWords(type)}' does not support field selection`, at)
  if (fields.get(type)?.has(name) === false) throw new CompileError(`undefined field '${name}'`, at)
}

const scalarKeys = new Set(['int', 'uint', 'double', 'bool', 'bytes', 'null'])

function checkKey(receiver: CelNode, key: CelNode, at: number): void {
  const map = typeOf(receiver)
  const type = typeOf(key)
  if (map.startsWith('map<string,') && scalarKeys.has(type))
    throw new CompileError(`found no matching overload for '_[_]' applied to '(${typeWords(map)}, ${type})'`, at)
}

/** Name of the type, of the value where it is an optional one; empty when it is not known. */
function typeOf(node: CelNode | undefined): string {
  const name = node?.checkedType?.name ?? ''
  return name.startsWith('optional<') ? name.slice('optional<'.length, -1) : name
}
