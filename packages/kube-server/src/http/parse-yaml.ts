import { isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Json } from '../api/object.ts'
import { badRequest, StatusError } from '../api/status-error.ts'
import { countKeys, type Decoded } from './parse-json.ts'

/** Each alias may blow a document up; real manifests have a handful. */
const maxAliases = 100

/** YAML 1.1 as kubectl and the real server read it: `y`, `on`, `no` are booleans, timestamps stay strings. */
export function parseYaml(text: string): Decoded {
  try {
    return decode(text)
  } catch (error) {
    if (error instanceof StatusError) throw error
    // Among others: an alias used too often, nesting too deep for the parser.
    throw refusal(error instanceof Error ? error.message : String(error))
  }
}

const refusal = (why: string) => badRequest(`yaml parse error: ${why.split('\n')[0]}`)

function decode(text: string): Decoded {
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    customTags: tags => tags.filter(tag => typeof tag === 'string' || !tag.tag.endsWith(':timestamp')),
  })
  const [error] = document.errors
  if (error) throw refusal(error.message)
  // Through JSON text: drops what JSON cannot hold and makes all keys text.
  const value: Json = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: maxAliases })) ?? 'null')
  countKeys(value, 0)
  const duplicates = new Set<string>()
  collectDuplicates(document.contents, '', duplicates)
  return { value, duplicates: [...duplicates] }
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
