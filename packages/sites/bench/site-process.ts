/** One site as a process of its own, with a database on the disk. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { newKeyText } from '../src/index.ts'

const program = fileURLToPath(new URL('../../cli/bin/godwit.mjs', import.meta.url))
const unit = new URL('../../../deploy/sites/systemd/godwit-site.service', import.meta.url)
/** As a site is deployed: a process with room lets garbage lie. */
const NODE_OPTIONS = /"NODE_OPTIONS=(?<flags>[^"]+)"/.exec(readFileSync(unit, 'utf8'))?.groups?.['flags'] ?? ''
const PASSWORD = 'bench-secret'
/** Of the figures that Linux keeps of a process. */
const TICK_MS = 10
const DOMAIN = { name: 'Default' }

export interface SiteName {
  readonly uuid: string
  readonly name: string
  /** First three numbers of its management subnet. */
  readonly subnet: string
}

export interface MemberTime {
  readonly runId: string
  /** From its beginning until it is managed. */
  readonly tookMs: number
  /** Of it, without a place among those that run. */
  readonly queuedMs: number
}

export type Json = Readonly<Record<string, unknown>>

export class SiteProcess {
  readonly identity: SiteName
  readonly url: string
  readonly #child: ChildProcess
  readonly #database: string
  readonly #token: string

  private constructor(identity: SiteName, url: string, child: ChildProcess, database: string, token: string) {
    this.identity = identity
    this.url = url
    this.#child = child
    this.#database = database
    this.#token = token
  }

  static async start(identity: SiteName, other: SiteName, folder: string, simulatorUrl: string): Promise<SiteProcess> {
    const path = (name: string) => join(folder, `${identity.name}.${name}`)
    writeFileSync(path('secrets.key'), newKeyText())
    writeFileSync(path('token.key'), 'k'.repeat(40))
    writeFileSync(path('password'), PASSWORD)
    writeFileSync(path('json'), JSON.stringify(configOf(identity, other, path, simulatorUrl)))
    const child = spawn(process.execPath, [program, 'sites', 'serve', '--config', path('json')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS },
    })
    const url = await urlOf(child)
    return new SiteProcess(identity, url, child, path('db'), await tokenOf(url))
  }

  /** @param body JSON, or a form */
  async call(method: string, path: string, body?: Json | FormData): Promise<Json> {
    const isForm = body instanceof FormData
    const answer = await fetch(`${this.url}/v1.0${path}`, {
      method,
      headers: {
        'x-auth-token': this.#token,
        accept: 'application/json',
        ...(body && !isForm && { 'content-type': 'application/json' }),
      },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`${method} ${path} of ${this.identity.name}: ${answer.status} ${text}`)
    return JSON.parse(text) as Json
  }

  async list(path: string): Promise<readonly Json[]> {
    const [objects] = Object.values(await this.call('GET', path))
    return objects as readonly Json[]
  }

  /** Of those that have ended well in the last batch. */
  memberTimes(): readonly MemberTime[] {
    const database = new DatabaseSync(this.#database, { readOnly: true })
    const rows = database
      .prepare(
        `select run_id as run, ended_ms - started_ms as took, queued_ms as queued from batch_member
         where batch_id = (select max(id) from batch) and outcome = 'complete'`,
      )
      .all()
    database.close()
    return rows.map(({ run, took, queued }) => ({ runId: String(run), tookMs: Number(took), queuedMs: Number(queued) }))
  }

  /** Of the processor, so far, in milliseconds; Linux only. */
  get usedMs(): number {
    const [, rest = ''] = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')
    const [userTicks, systemTicks] = rest.split(' ').slice(11, 13).map(Number)
    return ((userTicks ?? 0) + (systemTicks ?? 0)) * TICK_MS
  }

  /** Highest resident size so far, in MiB; Linux only. */
  get peakMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await gone
  }
}

function configOf({ subnet, ...site }: SiteName, other: SiteName, path: (name: string) => string, url: string) {
  const user = { passwordFile: path('password'), roles: ['admin'] }
  const users = [
    { ...user, user: 'admin' },
    { ...user, user: 'peer', peerUuid: other.uuid },
  ]
  return {
    site: { ...site, softwareVersion: '24.09' },
    network: {
      managementSubnet: `${subnet}.0/24`,
      managementPool: { start: `${subnet}.2`, end: `${subnet}.50` },
      managementAddress: `${subnet}.2`,
      oamSubnet: '10.10.10.0/24',
      oamAddress: '10.10.10.2',
    },
    database: { sqlite: path('db') },
    secretsKeyFile: path('secrets.key'),
    api: { port: 0 },
    probes: { port: 0 },
    auth: { embedded: { tokenKeyFile: path('token.key'), users } },
    subclouds: { simulated: { url, credentials: `home-of-${site.name}` } },
    logLevel: 'info',
  }
}

async function urlOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the process has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /"url":"(?<url>[^"]+)"/.exec(line)?.groups?.['url']
    if (url !== undefined) {
      child.stdout.resume()
      return url
    }
  }
  throw new Error('the site did not start')
}

async function tokenOf(url: string): Promise<string> {
  const identity = { methods: ['password'], password: { user: { name: 'admin', password: PASSWORD, domain: DOMAIN } } }
  const scope = { project: { name: 'admin', domain: DOMAIN } }
  const answer = await fetch(`${url}/v3/auth/tokens`, {
    method: 'POST',
    body: JSON.stringify({ auth: { identity, scope } }),
  })
  return answer.headers.get('x-subject-token') ?? ''
}

export const peerPassword = Buffer.from(PASSWORD).toString('base64')
