/** Makes a failed test readable: what failed, where, and the error with the frames that are ours. */
import { relative } from 'node:path'

const maxCauses = 5

/** The error and its causes as lines; frames inside Node are left out, paths are relative to `root`. */
export function errorLines(error: unknown, root: string): string[] {
  const lines: string[] = []
  let current = unwrapped(error)
  for (let depth = 0; depth < maxCauses && current !== undefined; depth += 1) {
    const text = current instanceof Error ? (current.stack ?? String(current)) : String(current)
    const shown = text.split('\n').filter(line => !/^\s+at .*\(?node:/.test(line))
    lines.push(...shown.map((line, index) => `${depth > 0 && index === 0 ? 'caused by ' : ''}${local(line, root)}`))
    current = current instanceof Error ? current.cause : undefined
  }
  return lines
}

/** Where a test stands, as `path:line:column`. */
export function placeOf(file: string | undefined, line: number | undefined, column: number | undefined, root: string) {
  return file === undefined ? '' : `${relative(root, file)}:${line ?? 1}:${column ?? 1}`
}

/** The runner wraps what a test threw; the thrown value is what a reader wants. */
function unwrapped(error: unknown): unknown {
  const isWrapper = error instanceof Error && 'failureType' in error && error.cause !== undefined
  return isWrapper ? error.cause : error
}

function local(line: string, root: string): string {
  return line.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '')
}
