/** Finds what a source file imports, in every form the language has. */
import { codeOf, lineAt } from './source-segments.ts'

export interface Import {
  readonly specifier: string
  readonly line: number
}

const forms = /(?:\bfrom|\bimport)\s*(['"])|\b(?:import|require)(?:(?:\.meta)?\.resolve)?\s*\(\s*(['"`])/g

/** Static and dynamic imports, re-exports, require and import.meta.resolve with a literal argument. */
export function importsOf(source: string): Import[] {
  const code = codeOf(source)
  return [...code.matchAll(forms)].map(match => {
    const quote = match[1] ?? match[2] ?? "'"
    const start = match.index + match[0].length
    const end = code.indexOf(quote, start)
    return { specifier: source.slice(start, end === -1 ? undefined : end), line: lineAt(source, start) }
  })
}

/** The package a bare specifier belongs to: `@a/b/c` → `@a/b`, `x/y` → `x`. */
export function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
