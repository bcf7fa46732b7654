/** Registry credentials where docker keeps them: its config file, or the credential programs that the file names. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@godwit/ports'
import { z } from 'zod'
import type { RegistryCredentialSource, RegistryCredentials } from './credentials.ts'

export interface DockerConfigOptions {
  /** Path of the file. Default: `config.json` in `$DOCKER_CONFIG`, or in `~/.docker`. */
  readonly path?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  /** How a credential program is asked. Default: it is run. */
  readonly run?: CredentialProgram
}

/** @returns what the program prints for a host, or undefined when it knows nothing of it */
export type CredentialProgram = (program: string, host: string) => Promise<string | undefined>

const config = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
})
type Config = z.infer<typeof config>

const answered = z.object({ Username: z.string(), Secret: z.string() })

/** Docker Hub has several names. */
const HUB_HOSTS: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io']
/** A program that asks a person, or the network, would hold up the operator. */
const PROGRAM_LIMIT_MS = 15_000
const MAX_OUTPUT_CHARS = 64 * 1024

/** Read anew each time: mounted secrets change. A missing file knows nobody; a damaged one is an error. */
export function dockerConfig(options: DockerConfigOptions = {}): RegistryCredentialSource {
  const { environment = process.env } = options
  const path = options.path ?? join(environment['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json')
  const run = options.run ?? programRunner(options.clock ?? systemClock)
  return {
    async find(host) {
      const found = await read(path)
      return found && (await find(found, host, run))
    },
  }
}

async function read(path: string): Promise<Config | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return config.parse(JSON.parse(text))
  } catch {
    // The reason would quote the file, and with it what must stay secret.
    throw new Error(`${path}: this is not a docker config file`)
  }
}

async function find(
  { auths = {}, credHelpers = {}, credsStore }: Config,
  host: string,
  run: CredentialProgram,
): Promise<RegistryCredentials | undefined> {
  const names = namesOf(host)
  const helper = names.map(name => credHelpers[name]).find(each => each !== undefined) ?? credsStore
  const asked = helper === undefined ? undefined : await ask(helper, names[0] ?? host, run)
  if (asked) return asked
  const entry = Object.entries(auths).find(([key]) => names.includes(hostOf(key)))?.[1]
  if (!entry) return undefined
  if (entry.identitytoken) return { kind: 'refreshToken', token: entry.identitytoken }
  if (entry.username !== undefined && entry.password !== undefined)
    return { kind: 'password', username: entry.username, password: entry.password }
  const [, username, password] = /^([^:]*):([\s\S]*)$/.exec(decoded(entry.auth ?? '')) ?? []
  return username === undefined || password === undefined ? undefined : { kind: 'password', username, password }
}

async function ask(helper: string, host: string, run: CredentialProgram): Promise<RegistryCredentials | undefined> {
  // The name becomes part of a program's name: it must not lead anywhere else.
  if (!/^[\w-]+$/.test(helper)) throw new Error(`docker config: ${JSON.stringify(helper)} cannot name a program`)
  const text = await run(`docker-credential-${helper}`, host)
  const parsed = text === undefined ? undefined : answered.safeParse(parsedJson(text))
  if (!parsed?.success) return undefined
  const { Username: username, Secret: secret } = parsed.data
  return username === '<token>'
    ? { kind: 'refreshToken', token: secret }
    : { kind: 'password', username, password: secret }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Docker pads the password with zero bytes in some versions. */
const decoded = (auth: string) => Buffer.from(auth, 'base64').toString().replace(/\0+$/, '')
const namesOf = (host: string) => (HUB_HOSTS.includes(host) ? [host, ...HUB_HOSTS] : [host])
/** Keys are hosts or URLs: `https://index.docker.io/v1/`. */
const hostOf = (key: string) => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')

const programRunner =
  (clock: Clock): CredentialProgram =>
  (program, host) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] })
      const cancel = clock.after(PROGRAM_LIMIT_MS, () => child.kill('SIGKILL'))
      let text = ''
      child.stdout.on('data', chunk => {
        text += chunk
        if (text.length > MAX_OUTPUT_CHARS) child.kill('SIGKILL')
      })
      child.on('error', error => {
        cancel()
        reject(new Error(`${program}: ${error.message}`))
      })
      child.on('close', (code, signal) => {
        cancel()
        if (signal) reject(new Error(`${program}: gave no answer`))
        else resolve(code === 0 ? text : undefined)
      })
      // A program that ends without reading its input is judged by its end.
      child.stdin.on('error', () => undefined)
      child.stdin.end(host)
    })
