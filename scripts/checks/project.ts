/** What a check looks at: the files git knows or would add, their text, and the manifests of the workspace. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The parts of a package.json that the checks read. `folder` is '' for the root. */
export interface Manifest {
  readonly folder: string
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

export interface Project {
  /** Paths relative to the root, with forward slashes, sorted. */
  readonly files: readonly string[]
  read(path: string): string
}

/** One finding, written as `path:line: what is wrong and what to do`. */
export type Problem = string

export interface Check {
  /** What holds when the check passes, as a short noun phrase. */
  readonly name: string
  run(project: Project): Problem[]
}

/** The checkout at `root`, as it is now, committed or not. */
export function openProject(root: string): Project {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  const files = [...new Set(listed.split('\0'))].filter(path => path !== '' && existsSync(join(root, path))).sort()
  const texts = new Map<string, string>()
  return {
    files,
    read(path) {
      const text = texts.get(path) ?? readFileSync(join(root, path), 'utf8')
      texts.set(path, text)
      return text
    },
  }
}

/** A project made of the given texts; what the tests of the checks are made of. */
export function projectOf(texts: Readonly<Record<string, string>>): Project {
  return {
    files: Object.keys(texts).sort(),
    read(path) {
      const text = texts[path]
      if (text === undefined) throw new Error(`no such file in the sample: ${path}`)
      return text
    },
  }
}

/** All package.json files of the workspace, the root's first. */
export function manifestsOf(project: Project): Manifest[] {
  return project.files
    .filter(path => /^(packages\/[^/]+\/)?package\.json$/.test(path))
    .map(path => {
      const {
        name,
        dependencies = {},
        devDependencies = {},
        optionalDependencies = {},
      } = JSON.parse(project.read(path))
      return {
        folder: path.slice(0, -'/package.json'.length),
        name,
        dependencies,
        devDependencies,
        optionalDependencies,
      }
    })
    .map(manifest => (manifest.folder.startsWith('packages/') ? manifest : { ...manifest, folder: '' }))
    .sort((a, b) => a.folder.localeCompare(b.folder))
}

const codeFile = /\.(ts|tsx|mjs|js)$/

/** Source files, without declarations, generated and copied ones. */
export function sourcesOf(project: Project): string[] {
  return project.files.filter(path => codeFile.test(path) && !isForeign(path))
}

/** Written by a tool, or copied whole from elsewhere: not held to the rules of style. */
export function isForeign(path: string): boolean {
  return /\.generated\./.test(path) || path.startsWith('packages/kube-server/test/kubeapi-checks.')
}

/** Whether a file only ever runs as part of a test or a measurement. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || /^packages\/[^/]+\/(test|bench)\//.test(path) || path.startsWith('tests/')
}

/** The package folder a path lies in, such as `packages/core`; undefined outside packages. */
export function packageFolderOf(path: string): string | undefined {
  return /^packages\/[^/]+(?=\/)/.exec(path)?.[0]
}
