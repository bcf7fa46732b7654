// node scripts/kubectl.ts: makes real kubectl binaries available to the tests without installing anything, and lists
// them. Debian's package is only unpacked, into .cache/kubectl/: installed, it would replace the machine's own kubectl.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Kubectl {
  /** Major and minor version, such as `1.20`. */
  readonly version: string
  readonly path: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, '.cache/kubectl')
const patterns = [join(cache, '*/kubectl'), '/usr/lib/google-cloud-sdk/bin/kubectl.1.*']
const aptPackage = 'kubernetes-client'

/** The binaries whose path tells their version, oldest first; an unversioned kubectl on PATH is nobody's fixture. */
export function findKubectls(paths: readonly string[] = patterns.flatMap(pattern => globSync(pattern))): Kubectl[] {
  return paths
    .flatMap(path => {
      const version = /(\d+\.\d+)(?:\/kubectl)?$/.exec(path)?.[1]
      return version === undefined ? [] : [{ version, path }]
    })
    .sort((a, b) => minorOf(a) - minorOf(b))
}

/** Whoever is between sees nothing that these two do not see. */
export function oldestAndNewest(found: readonly Kubectl[]): Kubectl[] {
  const [oldest, newest] = [found[0], found.at(-1)]
  if (!oldest || !newest) return []
  return oldest === newest ? [oldest] : [oldest, newest]
}

/** Unpacks Debian's kubectl into the cache, once. Returns why not when that cannot be done. */
export function fetchDebianKubectl(): string | undefined {
  if (globSync(join(cache, 'debian-*/kubectl')).length > 0) return undefined
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.unpack-'))
  try {
    return unpack(work)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function unpack(work: string): string | undefined {
  const download = () => tryRun('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', aptPackage], work)
  let problem = download()
  if (problem !== undefined) {
    problem = tryRun('apt-get', ['-q', 'update'], work) ?? download()
    if (problem !== undefined) return problem
  }
  const [archive] = globSync('*.deb', { cwd: work })
  if (archive === undefined) return `apt-get download ${aptPackage} left no package`
  const unpacked = tryRun('dpkg', ['-x', archive, 'tree'], work)
  if (unpacked !== undefined) return unpacked
  const binary = join(work, 'tree/usr/bin/kubectl')
  if (!existsSync(binary)) return `${aptPackage} holds no /usr/bin/kubectl`
  const told = spawnSync(binary, ['version', '--client', '-o', 'json'], { encoding: 'utf8' }).stdout
  const version = /"gitVersion": "v(\d+\.\d+)/.exec(told)?.[1]
  if (version === undefined) return `${aptPackage}'s kubectl does not tell its version`
  mkdirSync(join(cache, `debian-${version}`), { recursive: true })
  renameSync(binary, join(cache, `debian-${version}`, 'kubectl'))
  return undefined
}

function tryRun(command: string, args: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (error) return `${command}: ${error.message}`
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`
}

function minorOf({ version }: Kubectl): number {
  return Number(version.split('.')[1])
}

if (import.meta.main) {
  const problem = fetchDebianKubectl()
  const found = findKubectls()
  for (const { version, path } of found) console.log(`kubectl ${version}  ${path}`)
  if (problem !== undefined) console.log(`kubectl of Debian not available: ${problem}`)
  if (found.length === 0) {
    console.error('kubectl: none found: tests with the real kubectl are left out')
    process.exitCode = process.env['CI'] === 'true' ? 1 : 0
  }
}
