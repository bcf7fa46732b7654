/** The world of the demo of sites: two sites and a simulator as processes, in a folder of their own. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newKeyText } from '@godwit/sites'
import { type Child, startChild } from './child.ts'
import { SiteClient } from './site-client.ts'

const cli = fileURLToPath(new URL('../../packages/cli/bin/godwit.mjs', import.meta.url))
const simulator = fileURLToPath(new URL('./simulator-process.ts', import.meta.url))

/** Seconds: the least that the API allows. */
export const HEARTBEAT_S = 10

export interface SiteIdentity {
  readonly uuid: string
  readonly name: string
  /** Of the subnet of its system controller. */
  readonly subnet: string
}

/** The member `database` of a site's configuration. */
export type DatabaseConfig = Readonly<Record<string, string>>

interface DemoSiteOptions {
  readonly identity: SiteIdentity
  readonly folder: string
  readonly onProblem: (text: string) => void
  /** A file of its own unless told. */
  readonly database: DatabaseConfig | undefined
}

/** One site: a process that may be killed, and what of it stays. */
export class DemoSite {
  readonly identity: SiteIdentity
  /** What the other site logs in with here. */
  readonly peerPassword = randomBytes(12).toString('base64url')
  readonly #adminPassword = randomBytes(12).toString('base64url')
  readonly #folder: string
  readonly #database: DatabaseConfig
  readonly #onProblem: (text: string) => void
  #child: Child | undefined
  #port = 0
  #configure: (name: string, port: number) => Promise<string> = async name => this.#path(name)

  constructor({ identity, folder, onProblem, database }: DemoSiteOptions) {
    this.identity = identity
    this.#folder = folder
    this.#onProblem = onProblem
    this.#database = database ?? { sqlite: this.#path('db') }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Where its database is, and how to call it. */
  get help(): string {
    return `export OS_AUTH_URL=${this.url}/v3 OS_USERNAME=admin OS_PASSWORD=${this.#adminPassword} OS_PROJECT_NAME=admin`
  }

  /** @param other the one that may log in as a peer */
  async prepare(other: SiteIdentity, simulatorUrl: string): Promise<void> {
    const files = {
      'secrets.key': newKeyText(),
      'token.key': randomBytes(32).toString('base64url'),
      'admin.password': this.#adminPassword,
      'peer.password': this.peerPassword,
    }
    for (const [name, content] of Object.entries(files)) await writeFile(this.#path(name), content, { mode: 0o600 })
    this.#configure = async (name, port) => {
      const config = { ...this.#config(other, simulatorUrl), api: { port } }
      await writeFile(this.#path(name), JSON.stringify(config))
      return this.#path(name)
    }
  }

  /** Again on the port that it had: that is where the other site looks for it. */
  async start(): Promise<void> {
    this.#child = await this.#serve('site.json', this.#port)
    this.#port = Number(new URL(this.#child.url).port)
  }

  /** Another process on the same database, on a port of its own. */
  startReplica(): Promise<Child> {
    return this.#serve('replica.json', 0)
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#child?.end(signal)
  }

  /** @param url of a replica; of the process that `start` began unless told */
  client(url = this.url): Promise<SiteClient> {
    return SiteClient.logIn(url, 'admin', this.#adminPassword)
  }

  async #serve(name: string, port: number): Promise<Child> {
    return await startChild([cli, 'sites', 'serve', '--config', await this.#configure(name, port)], this.#onProblem)
  }

  #path(name: string): string {
    return join(this.#folder, `${this.identity.name}.${name}`)
  }

  #config(other: SiteIdentity, simulatorUrl: string) {
    const { uuid, name, subnet } = this.identity
    const file = (of: string) => this.#path(of)
    return {
      site: { uuid, name, softwareVersion: '24.09' },
      network: {
        managementSubnet: `${subnet}.0/24`,
        managementPool: { start: `${subnet}.2`, end: `${subnet}.50` },
        managementAddress: `${subnet}.2`,
        oamSubnet: '10.10.10.0/24',
        oamAddress: '10.10.10.2',
      },
      database: this.#database,
      secretsKeyFile: file('secrets.key'),
      probes: { port: 0 },
      auth: {
        embedded: {
          tokenKeyFile: file('token.key'),
          users: [
            { user: 'admin', passwordFile: file('admin.password'), roles: ['admin'] },
            { user: other.name, passwordFile: file('peer.password'), roles: ['admin'], peerUuid: other.uuid },
          ],
        },
      },
      subclouds: { auditSeconds: 5, simulated: { url: simulatorUrl, credentials: `home-of-${name}` } },
      work: { leaseSeconds: 3, pollSeconds: 0.5 },
      logLevel: 'info',
    }
  }
}

export interface SitesWorld {
  readonly a: DemoSite
  readonly b: DemoSite
  /** Of the simulator's service. */
  readonly simulatorUrl: string
  stop(): Promise<void>
}

/** @param databases of site A and of site B; files unless told */
export async function startSitesWorld(
  onProblem: (text: string) => void,
  databases: readonly DatabaseConfig[] = [],
): Promise<SitesWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'godwit-demo-'))
  const subclouds = await startChild([simulator], onProblem)
  const identities = ['a', 'b'].map((letter, index) => ({
    uuid: randomUUID(),
    name: `site-${letter}`,
    subnet: `192.168.${204 + index}`,
  }))
  const [identityA, identityB] = identities
  if (!identityA || !identityB) throw new Error('there are two sites')
  const [a, b] = [
    new DemoSite({ identity: identityA, folder, onProblem, database: databases[0] }),
    new DemoSite({ identity: identityB, folder, onProblem, database: databases[1] }),
  ]
  await a.prepare(identityB, subclouds.url)
  await b.prepare(identityA, subclouds.url)
  await Promise.all([a.start(), b.start()])
  return {
    a,
    b,
    simulatorUrl: subclouds.url,
    stop: async () => {
      await Promise.all([a.end('SIGTERM'), b.end('SIGTERM')])
      await subclouds.end('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
