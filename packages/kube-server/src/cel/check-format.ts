/** Checks `'…'.format([…])` with a literal template and a literal list before the rule ever runs. */
import { type CelNode, calledName, childrenOf, visit } from './ast.ts'
import { anchorOf, CompileError, typeWords } from './compile-error.ts'

interface Clause {
  readonly takes: readonly string[]
  readonly complaint: string
}

const integers = ['int', 'uint']
const clauses: ReadonlyMap<string, Clause> = new Map([
  [
    's',
    {
      takes: [
        'string',
        'bool',
        'bytes',
        'int',
        'uint',
        'double',
        'map',
        'list',
        'type',
        'timestamp',
        'duration',
        'null',
      ],
      complaint:
        'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    },
  ],
  ['d', { takes: integers, complaint: 'decimal clause can only be used on integers' }],
  ['f', { takes: ['double'], complaint: 'fixed-point clause can only be used on doubles' }],
  ['e', { takes: ['double'], complaint: 'scientific clause can only be used on doubles' }],
  ['b', { takes: [...integers, 'bool'], complaint: 'only integers and bools can be formatted as binary' }],
  ['o', { takes: integers, complaint: 'octal clause can only be used on integers' }],
  [
    'x',
    {
      takes: [...integers, 'bytes', 'string'],
      complaint: 'only integers, byte buffers, and strings can be formatted as hex',
    },
  ],
])

/** Throws `CompileError` for a literal call that cannot succeed. The tree must be type-checked. */
export function checkFormats(tree: CelNode, source: string): void {
  visit(tree, node => {
    if (node.op !== 'rcall' || calledName(node) !== 'format') return
    const [template, list] = childrenOf(node)
    if (template?.op === 'value' && typeof template.args === 'string' && list?.op === 'list')
      checkTemplate(template.args, childrenOf(list), { call: anchorOf(node, source), source })
  })
}

interface Place {
  /** Where complaints about the call as a whole point. */
  readonly call: number
  readonly source: string
}

function checkTemplate(template: string, values: readonly CelNode[], place: Place): void {
  let used = 0
  for (const [, letter = '', isPercent] of template.matchAll(/%(?:(?:\.\d+)?([^%.]|$)|(%))/gu)) {
    if (isPercent) continue
    const value = values[used]
    if (!value) throw new CompileError(`index ${used} out of range`, place.call)
    if (letter === '') throw new CompileError('unexpected end of string', place.call)
    checkClause(letter, value, place)
    used++
  }
}

function checkClause(letter: string, value: CelNode, { call, source }: Place): void {
  const clause = clauses.get(letter === 'X' ? 'x' : letter)
  if (!clause)
    throw new CompileError(`could not parse formatting clause: unrecognized formatting clause "${letter}"`, call)
  const type = typeWords(value.checkedType?.name ?? 'dyn')
  const kind = type.replace(/\(.*/, '')
  if (kind === 'dyn' || clause.takes.includes(kind) || (letter === 'f' && value.op === 'value' && kind === 'string'))
    return
  throw new CompileError(`error during formatting: ${clause.complaint}, was given ${type}`, anchorOf(value, source))
}
