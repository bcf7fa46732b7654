/** Arrows between packages point down only, stay inside packages, and are declared where they start. */
import { posix } from 'node:path'
import { type Import, importsOf, packageNameOf } from './imports.ts'
import { type Check, isTest, type Manifest, manifestsOf, type Project, packageFolderOf, sourcesOf } from './project.ts'

const below = ['core', 'engine', 'kube', 'ports', 'store']
const entrance = ['core', 'engine', 'hubs', 'kube', 'kube-server', 'nodes', 'ports', 'sites', 'store']

/** Which packages (folder names) the shipped code of a package may import. */
const layers: Readonly<Record<string, readonly string[]>> = {
  ports: [],
  core: ['ports'],
  'kube-server': ['ports'],
  kube: ['ports'],
  store: ['core', 'ports'],
  engine: ['core', 'kube', 'ports', 'store'],
  hubs: below,
  sites: below,
  nodes: below,
  simulation: ['kube', 'kube-server', 'ports'],
  cli: [...entrance, 'dashboard'],
  dashboard: entrance,
}

interface Importer {
  readonly path: string
  readonly folder: string | undefined
  readonly manifest: Manifest
  readonly root: Manifest
  readonly folderOf: ReadonlyMap<string, string>
}

export const importDirections: Check = {
  name: 'import directions',
  run(project) {
    const manifests = manifestsOf(project)
    const unknown = manifests
      .filter(({ folder }) => folder !== '' && layers[shortName(folder)] === undefined)
      .map(({ folder }) => `${folder}/package.json:1: has no row in the layers of scripts/checks/import-directions.ts`)
    return [...unknown, ...sourcesOf(project).flatMap(path => problemsOf(project, manifests, path))]
  },
}

function problemsOf(project: Project, manifests: readonly Manifest[], path: string): string[] {
  const folder = packageFolderOf(path)
  const root = manifests.find(candidate => candidate.folder === '')
  const manifest = manifests.find(candidate => candidate.folder === (folder ?? ''))
  if (!manifest || !root) return [`${path}:1: belongs to no package.json`]
  const folderOf = new Map(manifests.map(each => [each.name, each.folder]))
  const importer = { path, folder, manifest, root, folderOf }
  return importsOf(project.read(path)).flatMap(found => {
    const problem = problemOf(importer, found)
    return problem === undefined ? [] : [`${path}:${found.line}: ${problem}`]
  })
}

function problemOf(importer: Importer, { specifier }: Import): string | undefined {
  if (/^[./]/.test(specifier)) return relativeProblem(importer, specifier)
  const isPure = importer.folder === 'packages/core' && !isTest(importer.path)
  if (specifier.startsWith('node:')) return isPure ? `core is pure: it may not import ${specifier}` : undefined
  const name = packageNameOf(specifier)
  const target = importer.folderOf.get(name)
  if (isPure && target === undefined) return `core is pure: it may not import ${name}`
  return (
    (target === undefined ? undefined : layerProblem(importer, target)) ?? declarationProblem(importer, name, target)
  )
}

function relativeProblem({ path, folder }: Importer, specifier: string): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  const reached = packageFolderOf(`${target}/`)
  if (reached === folder && (folder !== undefined || !target.startsWith('..'))) return undefined
  if (isTest(path) && target.startsWith('scripts/')) return undefined
  if (reached !== undefined) return `reaches into ${reached} by a relative path; import the package by its name`
  return `leaves ${folder ?? 'the repository'} by the relative path ${specifier}`
}

function layerProblem({ path, folder }: Importer, target: string): string | undefined {
  if (folder === undefined || isTest(path) || folder === target) return undefined
  if (layers[shortName(folder)]?.includes(shortName(target))) return undefined
  return `${shortName(folder)} may not import ${shortName(target)}: arrows point down only`
}

function declarationProblem(importer: Importer, name: string, target: string | undefined): string | undefined {
  const { manifest, root, folder, path } = importer
  if (manifest.name === name || name in manifest.dependencies) return undefined
  const isTool = isTest(path) || folder === undefined
  if (isTool && (name in manifest.devDependencies || name in root.devDependencies)) return undefined
  if (folder === undefined && target !== undefined) return undefined
  const member = isTool ? 'devDependencies' : 'dependencies'
  return `${name} is not in the ${member} of ${folder === undefined ? '' : `${folder}/`}package.json`
}

function shortName(folder: string): string {
  return folder.slice('packages/'.length)
}
