import { isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Json } from '../api/object.ts'
import { badRequest, StatusError } from '../api/status-error.ts'
import { countKeys, type Decoded, surrogateEscape, wellFormed } from './parse-json.ts'

/** Reading takes seconds for each MiB, during which nobody else is answered. kubectl sends JSON, whatever it was given. */
const maxTextLength = 1024 * 1024
/** Each alias may blow a document up; real manifests have a handful. */
const maxAliases = 20
/** What aliases may blow a document up to: as many characters as a body of JSON could have. */
const maxValueLength = 3 * 1024 * 1024

/** YAML 1.1 as kubectl and the real server read it: `y`, `on`, `no` are booleans, timestamps stay strings. */
export function parseYaml(text: string): Decoded {
  if (text.length > maxTextLength) throw refusal(`more than ${maxTextLength} characters`)
  try {
    return decode(text)
  } catch (error) {
    if (error instanceof StatusError) throw error
    // Among others: an alias used too often, nesting too deep for the parser.
    throw refusal(error instanceof Error ? error.message : String(error))
  }
}

const refusal = (why: string) => badRequest(`yaml parse error: ${why.split('\n')[0]}`)

function decode(yaml: string): Decoded {
  const document = parseDocument(yaml, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    customTags: tags => tags.filter(tag => typeof tag === 'string' || !tag.tag.endsWith(':timestamp')),
  })
  const [error] = document.errors
  if (error) throw refusal(error.message)
  // Through JSON text: drops what JSON cannot hold and makes all keys text.
  const shared: unknown = document.toJS({ maxAliasCount: maxAliases })
  assertLength(shared, { left: maxValueLength })
  const text = JSON.stringify(shared) ?? 'null'
  const value: Json = JSON.parse(text)
  countKeys(value, 0)
  const duplicates = new Set<string>()
  collectDuplicates(document.contents, '', duplicates)
  return { value: surrogateEscape.test(text) ? wellFormed(value) : value, duplicates: [...duplicates] }
}

/** Every alias costs as much as what it stands for. Refuses what JSON text would silently turn into null. */
function assertLength(value: unknown, budget: { left: number }): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw refusal('a number that JSON does not know')
  budget.left -= typeof value === 'string' ? value.length : 1
  if (budget.left < 0) throw refusal('aliases make it too long')
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    budget.left -= key.length
    assertLength(member, budget)
  }
}

function collectDuplicates(node: unknown, path: string, found: Set<string>): void {
  if (isSeq(node)) for (const [i, item] of node.items.entries()) collectDuplicates(item, `${path}[${i}]`, found)
  if (!isMap(node)) return
  const seen = new Set<string>()
  for (const { key, value } of node.items) {
    const name = String(isScalar(key) ? key.value : key)
    const at = path ? `${path}.${name}` : name
    if (seen.has(name)) found.add(at)
    seen.add(name)
    collectDuplicates(value, at, found)
  }
}
