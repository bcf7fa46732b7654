import { parseDocument } from 'yaml'
import type { Json } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import { countKeys, type Decoded } from './parse-json.ts'

/** Each alias may blow a document up; real manifests have a handful. */
const maxAliases = 100

/** YAML 1.1 as kubectl and the real server read it: `y`, `on`, `no` are booleans, timestamps stay strings. */
export function parseYaml(text: string): Decoded {
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    customTags: tags => tags.filter(tag => typeof tag === 'string' || !tag.tag.endsWith(':timestamp')),
  })
  const duplicates: string[] = []
  for (const error of document.errors) {
    if (error.code !== 'DUPLICATE_KEY') throw badRequest(`yaml parse error: ${error.message.split('\n')[0]}`)
    duplicates.push('key')
  }
  let value: Json
  try {
    // Through JSON text: drops what JSON cannot hold (functions of tags, undefined) and stringifies odd keys.
    value = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: maxAliases })) ?? 'null')
  } catch (error) {
    throw badRequest(`yaml parse error: ${error instanceof Error ? error.message : String(error)}`)
  }
  countKeys(value, 0)
  return { value, duplicates }
}
