/** How files are called, how long they may be, and the escapes that none of them may use. */
import { type Check, isForeign, isTest, type Project, sourcesOf } from './project.ts'
import { codeOf, commentsOf, lineAt } from './source-segments.ts'

const maxLines = 500
const emptyNames = new Set(['utils', 'util', 'helpers', 'helper', 'misc', 'common', 'data', 'info'])
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/
const wellKnown = /^(README|LICENSE|NOTICE|CHANGELOG|CONTRIBUTING|SECURITY)(\.md)?$/

const inCode: readonly [RegExp, string][] = [
  [/\bas\s+any\b|[:<,|&]\s*any\b(?!\s*[:(?.])|\bany\[\]/g, 'any: say what it is, or unknown'],
]
const inComments: readonly [RegExp, string][] = [
  [/@ts-(?:ignore|nocheck)|\bbiome-ignore/g, 'silences a tool: mend the cause'],
  [/\b(?:TODO|FIXME|XXX)\b/g, 'left open: do it or write down that it is missing'],
]
const inTests: readonly [RegExp, string][] = [
  [/\b(?:test|it|describe|suite)\.(?:only|skip|todo)\b/g, 'a test that is alone or left out'],
  [/\b(?:only|skip|todo)\s*:\s*(?:true\b|['"`])/g, 'a test that is alone or left out'],
  [/\b(?:t|context)\.(?:skip|todo)\(/g, 'a test that is alone or left out'],
]

export const fileRules: Check = {
  name: 'file names, lengths and escapes',
  run: project => [
    ...project.files.filter(path => !isForeign(path)).flatMap(nameProblems),
    ...sourcesOf(project).flatMap(path => sourceProblems(project, path)),
  ],
}

function nameProblems(path: string): string[] {
  const parts = path.split('/')
  const file = parts.at(-1) ?? ''
  const isPage = /\.(ts|tsx|mjs|js|css|html|md)$/.test(file)
  const stem = file.split('.')[0] ?? ''
  const folders = parts.slice(0, -1).filter(folder => !folder.startsWith('.'))
  const unclear = [...folders, ...(isPage ? [stem] : [])].filter(name => emptyNames.has(name))
  const odd = isPage && !wellKnown.test(file) && !file.startsWith('.') && !kebabCase.test(file)
  return [
    ...(odd ? [`${path}:1: ${file} is not in kebab-case`] : []),
    ...unclear.map(name => `${path}:1: the name ${name} says nothing: what is it about?`),
  ]
}

function sourceProblems(project: Project, path: string): string[] {
  const source = project.read(path)
  const code = codeOf(source)
  const lines = source.split('\n').length - 1
  return [
    ...(lines > maxLines
      ? [`${path}:${maxLines + 1}: ${lines} lines, more than ${maxLines}: split it by concept`]
      : []),
    ...matches(path, code, inCode),
    ...matches(path, commentsOf(source), inComments),
    ...(isTest(path) || path.includes('.test.') ? matches(path, code, inTests) : []),
  ]
}

function matches(path: string, text: string, rules: readonly [RegExp, string][]): string[] {
  return rules.flatMap(([pattern, what]) =>
    [...text.matchAll(pattern)].map(found => `${path}:${lineAt(text, found.index)}: ${found[0].trim()}: ${what}`),
  )
}
