/** One open object or array while walking the text. */
interface Level {
  readonly path: string
  readonly keys: Set<string> | undefined
  key: string
  index: number
}

const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g

/** Paths of all keys that occur twice in one object of a valid JSON text, in order. */
export function findDuplicateKeys(text: string): string[] {
  const found = new Set<string>()
  const levels: Level[] = []
  let lastString = ''
  for (const [part] of text.matchAll(token)) {
    const level = levels.at(-1)
    if (part === '{' || part === '[') levels.push(open(part, level))
    else if (part === '}' || part === ']') levels.pop()
    else if (part === ',' && level) level.index++
    else if (part === ':' && level?.keys) noteKey(level, JSON.parse(lastString), found)
    else if (part.startsWith('"')) lastString = part
  }
  return [...found]
}

function open(bracket: string, parent: Level | undefined): Level {
  return { path: parent ? pathOf(parent) : '', keys: bracket === '{' ? new Set() : undefined, key: '', index: 0 }
}

function pathOf(level: Level): string {
  if (!level.keys) return `${level.path}[${level.index}]`
  return level.path ? `${level.path}.${level.key}` : level.key
}

function noteKey(level: Level, key: string, found: Set<string>): void {
  level.key = key
  if (level.keys?.has(key)) found.add(pathOf(level))
  level.keys?.add(key)
}
