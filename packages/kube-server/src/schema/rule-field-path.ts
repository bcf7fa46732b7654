import type { PathPart } from './field-path.ts'
import type { SchemaNode } from './schema-node.ts'

export type RuleFieldPath = { readonly parts: readonly PathPart[] } | { readonly problem: string }

const escapes: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ["'", "'"],
  ['\\', '\\'],
])

const notAField = { problem: 'does not refer to a valid field' }

/** Reads the `fieldPath` of a rule, for instance `.spec.x` or `['a.b']`, along the schema it refers to. */
export function ruleFieldPath(node: SchemaNode, text: string): RuleFieldPath {
  const parts: PathPart[] = []
  let at: SchemaNode | undefined = node
  for (const token of tokens(text)) {
    if (typeof token !== 'string') return token
    const step = stepInto(at, token)
    if (!step) return notAField
    parts.push(step.part)
    at = step.node
  }
  return { parts }
}

function stepInto(node: SchemaNode | undefined, name: string): { part: PathPart; node: SchemaNode } | undefined {
  if (!node) return undefined
  if (node.properties.size > 0) {
    const child = node.properties.get(name)
    return child && { part: name, node: child }
  }
  return typeof node.additional === 'object' ? { part: { key: name }, node: node.additional } : undefined
}

/** Names in order; ends with a problem when the text is malformed. */
function* tokens(text: string): Generator<string | { readonly problem: string }> {
  let rest = text
  while (rest !== '') {
    const plain = /^\.([^.[\]]+)/.exec(rest)
    const quoted = /^\['((?:[^'\\]|\\.)*)'\]/s.exec(rest)
    const match = plain ?? quoted
    if (!match) {
      yield { problem: `expected [ or . but got: ${rest}` }
      return
    }
    const name = plain ? match[1] : unescaped(match[1] ?? '')
    yield name ?? { problem: 'invalid string literal: invalid escape char' }
    rest = rest.slice(match[0].length)
  }
}

function unescaped(text: string): string | undefined {
  let isGood = true
  const plain = text.replace(/\\(.)/gs, (_, letter: string) => {
    const meant = escapes.get(letter)
    if (meant === undefined) isGood = false
    return meant ?? ''
  })
  return isGood ? plain : undefined
}
