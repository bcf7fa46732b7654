// node scripts/ansible.ts: makes a real ansible-playbook available to the tests without installing anything. Debian's
// packages are only unpacked, into .cache/ansible/, and run by the machine's own python3.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/ansible', import.meta.url))
const program = join(cache, 'ansible-playbook')
const PYTHON = '/usr/bin/python3'

/** Path of a working ansible-playbook, the unpacked one before the one on PATH; undefined when there is none. */
export function findAnsiblePlaybook(): string | undefined {
  if (existsSync(program)) return program
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v ansible-playbook'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Unpacks Debian's ansible-core and what it needs, once. Returns why not when that cannot be done. */
export function fetchDebianAnsible(): string | undefined {
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
  const packages =
    missingPackages() ?? (run('apt-get', ['-q', 'update'], work) === undefined ? missingPackages() : undefined)
  if (!packages) return 'apt-get knows no package ansible-core'
  const downloaded = run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...packages], work)
  if (downloaded !== undefined) return downloaded
  for (const archive of globSync('*.deb', { cwd: work })) {
    const unpacked = run('dpkg', ['-x', archive, 'tree'], work)
    if (unpacked !== undefined) return unpacked
  }
  const tree = join(cache, 'tree')
  rmSync(tree, { recursive: true, force: true })
  renameSync(join(work, 'tree'), tree)
  writeFileSync(join(work, 'launcher'), launcherOf(tree))
  chmodSync(join(work, 'launcher'), 0o755)
  const tried = run(join(work, 'launcher'), ['--version'], work)
  if (tried !== undefined) return tried
  renameSync(join(work, 'launcher'), program)
  return undefined
}

const launcherOf = (tree: string) =>
  `#!/bin/sh\nexport PYTHONPATH='${tree}/usr/lib/python3/dist-packages'\nexec ${PYTHON} '${tree}/usr/bin/ansible-playbook' "$@"\n`

/** What apt would install: ansible-core itself and whatever this machine does not have yet. */
function missingPackages(): string[] | undefined {
  const args = ['-q', '-s', 'install', '--reinstall', '--no-install-recommends', 'ansible-core']
  const { status, stdout } = spawnSync('apt-get', args, { encoding: 'utf8' })
  const found = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name)
  return status === 0 && found.includes('ansible-core') ? found : undefined
}

function run(command: string, args: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (error) return `${command}: ${error.message}`
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`
}

if (import.meta.main) {
  const problem = fetchDebianAnsible()
  const found = findAnsiblePlaybook()
  console.log(found === undefined ? `ansible-playbook: none found: ${problem}` : `ansible-playbook  ${found}`)
  if (found === undefined && process.env['CI'] === 'true') process.exitCode = 1
}
