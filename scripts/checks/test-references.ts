import type { Check, Problem, Project } from './project.ts'

/** Pages that say of each entry which tests show it: `docs/*-holes.md`, `docs/*-scenarios.md`. */
const isPage = (path: string) => /^docs\/[a-z-]+-(holes|scenarios)\.md$/.test(path)
/** A row of a table whose first cell is an id such as `H-07`, `MG12` or `E3`. */
const rowPattern = /^\| *(?<id>[A-Z]+-?\d+) *\|(?<rest>.*)\|\s*$/
/** `path` “part of a test's name” */
const referencePattern = /`(?<path>[^`]+)` “(?<name>[^”]+)”/g
const notOurs = /\bNot ours:/

/** Pages that name tests name tests that exist: at least one for each entry, unless it says why there is none. */
export const testReferences: Check = {
  name: 'tests that the docs name',
  run: project =>
    project.files.filter(isPage).flatMap(path => {
      const rows = rowsOf(project, path)
      return [...rows.flatMap(row => faultsOf(project, row)), ...gaps(path, rows)]
    }),
}

interface Row {
  readonly at: string
  readonly id: string
  readonly text: string
}

function rowsOf(project: Project, path: string): Row[] {
  return project
    .read(path)
    .split('\n')
    .flatMap((line, index) => {
      const { id = '', rest = '' } = rowPattern.exec(line)?.groups ?? {}
      return id ? [{ at: `${path}:${index + 1}`, id, text: rest }] : []
    })
}

function faultsOf(project: Project, { at, id, text }: Row): Problem[] {
  const references = [...text.matchAll(referencePattern)].map(match => match.groups ?? {})
  if (references.length === 0 && !notOurs.test(text))
    return [`${at}: ${id} names no test: write \`path\` “part of its name”, or “Not ours:” and the reason`]
  return references.flatMap(({ path = '', name = '' }) => {
    if (!project.files.includes(path)) return [`${at}: ${id} names a test file that does not exist: ${path}`]
    return project.read(path).includes(name) ? [] : [`${at}: ${id}: no test of ${path} is called “${name}”`]
  })
}

/** Each id once, and numbers of a series without holes. */
function gaps(path: string, rows: readonly Row[]): Problem[] {
  const series = new Map<string, number[]>()
  for (const { id } of rows) {
    const [, name = '', number = ''] = /^([A-Z]+-?)(\d+)$/.exec(id) ?? []
    series.set(name, [...(series.get(name) ?? []), Number(number)])
  }
  if (rows.length === 0) return [`${path}: has no row with an id`]
  return [...series].flatMap(([name, numbers]) => {
    const sorted = numbers.toSorted((a, b) => a - b)
    return sorted.flatMap((number, index) => {
      const expected = (sorted[index - 1] ?? 0) + 1
      return number === expected ? [] : [`${path}: after ${name}${expected - 1} comes ${name}${number}`]
    })
  })
}
