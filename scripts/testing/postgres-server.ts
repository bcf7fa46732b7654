/** A Postgres of its own for one test process, on a socket in a temporary folder. Nothing of it outlives the process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findPostgres } from '../postgres.ts'

export interface PostgresServer {
  /** For `openPostgres`: everything happens in this schema, which has to be there. */
  url(schema: string): string
  stop(): Promise<void>
}

/** Postgres refuses to run as root. */
const NOBODY = 65_534
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

/** @returns undefined when the binaries are not there: `node scripts/postgres.ts` brings them */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const found = findPostgres()
  if (found === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'godwit-postgres-'))
  const cluster = join(folder, 'data')
  mkdirSync(cluster, { mode: 0o700 })
  for (const path of [folder, cluster]) if (asNobody.uid !== undefined) chownSync(path, asNobody.uid, asNobody.gid)
  const program = runnable(found, folder)
  const options = ['--pgdata', cluster, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C']
  const made = spawnSync(join(program, 'bin/initdb'), [...options, '--no-sync', '--no-instructions'], {
    ...asNobody,
    cwd: folder,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`)
  const child = await started(program, folder, cluster)
  process.once('exit', () => child.kill('SIGKILL'))
  return {
    url: schema =>
      `postgres://postgres@${encodeURIComponent(folder)}/postgres?options=${encodeURIComponent(`-c search_path=${schema}`)}`,
    stop: async () => {
      const gone = once(child, 'exit')
      // At once, without waiting for clients: nobody reads these files again.
      child.kill('SIGQUIT')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Another user may not be allowed to look into this checkout: then a copy is used. */
function runnable(found: string, folder: string): string {
  const { status } = spawnSync(join(found, 'bin/postgres'), ['--version'], { ...asNobody, cwd: folder })
  if (status === 0) return found
  const copy = join(folder, 'program')
  cpSync(found, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

/** Where the machine can: nobody outlives a test process that was killed. */
function guard(): readonly string[] {
  const guarding = ['setpriv', '--pdeathsig', 'KILL']
  return spawnSync('setpriv', [...guarding.slice(1), 'true']).status === 0 ? guarding : []
}

/** Not synchronous: a test ends before the machine could. */
async function started(program: string, folder: string, cluster: string): Promise<ChildProcess> {
  const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off', 'max_connections=200']
  const args = ['-D', cluster, ...settings.flatMap(setting => ['-c', setting])]
  const [command = '', ...before] = [...guard(), join(program, 'bin/postgres')]
  const child = spawn(command, [...before, ...args], {
    ...asNobody,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line)
    if (line.includes('ready to accept connections')) break
  }
  if (child.exitCode !== null) throw new Error(`postgres ended: ${lines.join('\n')}`)
  child.stderr.resume()
  return child
}
