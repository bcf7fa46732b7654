// node scripts/docker-registry.ts: makes the real docker-registry available to the tests without installing anything.
// Debian's package is only unpacked, into .cache/docker-registry/: installed, it would start a service.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/docker-registry', import.meta.url))
const program = join(cache, 'docker-registry')
const aptPackage = 'docker-registry'

/** Path of the binary; undefined when there is none. */
export function findDockerRegistry(): string | undefined {
  return [program, '/usr/bin/docker-registry'].find(path => existsSync(path))
}

/** Unpacks Debian's package into the cache, once. Returns why not when that cannot be done. */
export function fetchDebianDockerRegistry(): string | undefined {
  if (existsSync(program)) return undefined
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.unpack-'))
  try {
    return unpack(work)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function unpack(work: string): string | undefined {
  const download = () => run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', aptPackage], work)
  let problem = download()
  if (problem !== undefined) problem = run('apt-get', ['-q', 'update'], work) ?? download()
  if (problem !== undefined) return problem
  const [archive] = globSync('*.deb', { cwd: work })
  if (archive === undefined) return `apt-get download ${aptPackage} left no package`
  const unpacked = run('dpkg', ['-x', archive, 'tree'], work)
  if (unpacked !== undefined) return unpacked
  const binary = join(work, 'tree/usr/bin/docker-registry')
  if (!existsSync(binary)) return `${aptPackage} holds no /usr/bin/docker-registry`
  const tried = run(binary, ['--version'], work)
  if (tried === undefined) renameSync(binary, program)
  return tried
}

/** Undefined: it succeeded. */
function run(command: string, args: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (error) return `${command}: ${error.message}`
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`
}

if (import.meta.main) {
  const problem = fetchDebianDockerRegistry()
  const found = findDockerRegistry()
  if (problem !== undefined) console.log(`docker-registry of Debian not available: ${problem}`)
  if (found !== undefined) console.log(`docker-registry  ${found}`)
  else {
    console.error('docker-registry: not found: tests with the real registry are left out')
    process.exitCode = process.env['CI'] === 'true' ? 1 : 0
  }
}
