/** Every dependency is pinned, used, and has its line of reason in docs/dependencies.md. */
import { importsOf, packageNameOf } from './imports.ts'
import { type Check, isTest, type Manifest, manifestsOf, type Project, sourcesOf } from './project.ts'

const page = 'docs/dependencies.md'
const exact = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/

export const dependencyList: Check = {
  name: 'dependencies pinned, used and explained',
  run(project) {
    const manifests = manifestsOf(project)
    return [...manifests.flatMap(pinProblems), ...useProblems(project, manifests), ...pageProblems(project, manifests)]
  },
}

function pinProblems(manifest: Manifest): string[] {
  return Object.entries(allOf(manifest))
    .filter(([, version]) => !exact.test(version))
    .map(([name, version]) => `${fileOf(manifest)}:1: ${name} "${version}" is not an exact version`)
}

function useProblems(project: Project, manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(({ folder }) => folder !== '')
    .flatMap(manifest => {
      const sources = sourcesOf(project).filter(path => path.startsWith(`${manifest.folder}/`))
      const shipped = namesIn(
        project,
        sources.filter(path => !isTest(path)),
      )
      const tested = namesIn(project, sources.filter(isTest))
      return [
        ...unused(manifest, 'dependencies', shipped, 'no shipped file of the package'),
        ...unused(manifest, 'devDependencies', tested, 'no test of the package'),
      ]
    })
}

function unused(manifest: Manifest, member: 'dependencies' | 'devDependencies', used: Set<string>, nobody: string) {
  return Object.keys(manifest[member])
    .filter(name => !used.has(name))
    .map(name => `${fileOf(manifest)}:1: ${name} is in the ${member}, but ${nobody} imports it`)
}

function pageProblems(project: Project, manifests: readonly Manifest[]): string[] {
  if (!project.files.includes(page)) return [`${page}:1: is missing`]
  const own = new Set(manifests.map(({ name }) => name))
  const declared = new Set(manifests.flatMap(manifest => Object.keys(allOf(manifest))).filter(name => !own.has(name)))
  const rows = project
    .read(page)
    .split('\n')
    .map((line, index) => ({
      line: index + 1,
      name: /^\| `([^`]+)` \|/.exec(line)?.[1],
      reason: line.split('|').at(-2),
    }))
    .filter(row => row.name !== undefined)
  const listed = new Set(rows.map(row => row.name))
  return [
    ...[...declared].filter(name => !listed.has(name)).map(name => `${page}:1: ${name} has no line of reason`),
    ...rows.filter(row => !declared.has(row.name ?? '')).map(row => `${page}:${row.line}: ${row.name} is used nowhere`),
    ...rows.filter(row => !row.reason?.trim()).map(row => `${page}:${row.line}: ${row.name} has no reason`),
  ]
}

function namesIn(project: Project, paths: readonly string[]): Set<string> {
  return new Set(paths.flatMap(path => importsOf(project.read(path)).map(found => packageNameOf(found.specifier))))
}

function allOf(manifest: Manifest): Record<string, string> {
  return { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
}

function fileOf({ folder }: Manifest): string {
  return folder === '' ? 'package.json' : `${folder}/package.json`
}
