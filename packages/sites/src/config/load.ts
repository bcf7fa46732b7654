/** Reads the configuration of a site, and the files that it names. Every error says which key, why, and what to do. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Terminal } from '@godwit/core'
import type { Seal } from '@godwit/store'
import { parse } from 'yaml'
import type { z } from 'zod'
import type { EmbeddedUser } from '../auth/embedded-keystone.ts'
import { keyRing } from '../secrets/key-ring.ts'
import { CONFIG_HINTS } from './hints.ts'
import { type ConfigFile, configSchema } from './schema.ts'

/** Secrets are in it: it is never logged. */
export interface SiteConfig
  extends Omit<ConfigFile, 'database' | 'auth' | 'subclouds' | 'secretsKeyFile' | 'failover'> {
  readonly database:
    | { readonly kind: 'sqlite'; readonly path: string }
    | { readonly kind: 'postgres'; readonly url: string; readonly connections: number | undefined }
  readonly seal: Seal
  readonly auth: EmbeddedConfig | KeystoneConfig
  readonly failover: FailoverConfig
  readonly subclouds: {
    readonly auditMs: number
    readonly executor: AnsibleConfig | SimulatedConfig
  }
}

export interface FailoverConfig {
  readonly holdDownMs: number
  readonly most: { readonly groups: number; readonly subclouds: number }
  readonly sysadminPassword: string | undefined
  /** Addresses by the UUID of a peer. */
  readonly secondPaths: Readonly<Record<string, readonly string[]>>
}

export interface EmbeddedConfig {
  readonly kind: 'embedded'
  readonly tokenKey: string
  readonly users: readonly EmbeddedUser[]
}

export interface KeystoneConfig {
  readonly kind: 'keystone'
  readonly url: string
  readonly username: string
  readonly password: string
  readonly project: string
  /** UUIDs by user name. */
  readonly peers: Readonly<Record<string, string>>
}

export interface AnsibleConfig {
  readonly kind: 'ansible'
  readonly program: string
  readonly playbooksFolder: string
  readonly runsFolder: string
  readonly controllerValuesFile: string
  readonly totalLimitMs: number
  readonly connectTimeoutS: number
  readonly subcloudUser: string
  readonly subcloudPassword: string
  /** PEM. */
  readonly subcloudCa: string | undefined
}

export interface SimulatedConfig {
  readonly kind: 'simulated'
  readonly url: string
  readonly credentials: string
}

/** @throws Terminal `Configuration` with a line for each mistake; no value of the file is in it */
export function loadConfig(path: string): SiteConfig {
  const text = readOr(path, error => fail([`cannot read the configuration file ${path}: ${error}`]))
  return resolved(checked(text, path), new NamedFiles(path))
}

function checked(text: string, path: string): ConfigFile {
  const result = configSchema.safeParse(parsedYaml(text, path))
  if (result.success) return result.data
  return fail(result.error.issues.flatMap(issue => mistakesOf(issue).map(mistake => `${path}: ${mistake}`)))
}

function parsedYaml(text: string, path: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    // The rest of the message quotes the file.
    const [first] = String(error instanceof Error ? error.message : error).split('\n')
    return fail([`${path} is neither YAML nor JSON: ${first}`])
  }
}

function mistakesOf(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => {
      const known = childrenOf(hintKey(issue.path)).join(', ')
      return `${at === '' ? key : `${at}.${key}`}: there is no such key; there are ${known}`
    })
  const hint = CONFIG_HINTS[hintKey(issue.path)]
  return [`${at === '' ? 'the whole file' : at}: ${reasonOf(issue)}.${hint === undefined ? '' : ` ${hint}`}`]
}

const reasonOf = ({ code, message }: z.core.$ZodIssue) =>
  code === 'invalid_type' && /received undefined$/.test(message)
    ? 'is missing'
    : message.replace(/^Invalid input: /, '')

/** Entries of a list share their hints. */
const hintKey = (path: readonly PropertyKey[]) => path.filter(part => typeof part !== 'number').join('.')

function childrenOf(parent: string): string[] {
  const prefix = parent === '' ? '' : `${parent}.`
  return Object.keys(CONFIG_HINTS)
    .filter(key => key.startsWith(prefix) && key !== parent && !key.slice(prefix.length).includes('.'))
    .map(key => key.slice(prefix.length))
}

function resolved(file: ConfigFile, files: NamedFiles): SiteConfig {
  const { database, auth, subclouds, secretsKeyFile, failover, ...rest } = file
  const config = {
    ...rest,
    database: databaseOf(database, files),
    seal: files.read('secretsKeyFile', secretsKeyFile, keyRing),
    auth: authOf(auth, files),
    failover: failoverOf(failover, files),
    subclouds: { auditMs: subclouds.auditSeconds * 1000, executor: executorOf(subclouds, files) },
  }
  if (files.mistakes.length > 0) fail(files.mistakes)
  return config
}

function databaseOf(database: ConfigFile['database'], files: NamedFiles): SiteConfig['database'] {
  const { sqlite, postgres, postgresFile, connections } = database
  if (sqlite !== undefined) return { kind: 'sqlite', path: sqlite === ':memory:' ? sqlite : files.path(sqlite) }
  const url = postgres ?? files.read('database.postgresFile', postgresFile ?? '')
  return { kind: 'postgres', url, connections }
}

function authOf({ embedded, keystone }: ConfigFile['auth'], files: NamedFiles): EmbeddedConfig | KeystoneConfig {
  if (keystone) {
    const { passwordFile, ...rest } = keystone
    return { kind: 'keystone', ...rest, password: files.read('auth.keystone.passwordFile', passwordFile) }
  }
  // One of the two is there: the schema has seen to it.
  if (!embedded) return fail(['auth: needs exactly one of embedded, keystone'])
  return {
    kind: 'embedded',
    tokenKey: files.read('auth.embedded.tokenKeyFile', embedded.tokenKeyFile, tokenKey),
    users: embedded.users.map(({ passwordFile, peerUuid, ...user }, index) => ({
      ...user,
      password: files.read(`auth.embedded.users.${index}.passwordFile`, passwordFile),
      ...(peerUuid !== undefined && { peerUuid }),
    })),
  }
}

function failoverOf(failover: ConfigFile['failover'], files: NamedFiles): FailoverConfig {
  const { holdDownSeconds, maxGroups, maxSubclouds, sysadminPasswordFile: file, secondPaths } = failover
  return {
    holdDownMs: holdDownSeconds * 1000,
    most: { groups: maxGroups, subclouds: maxSubclouds },
    sysadminPassword: file === undefined ? undefined : files.read('failover.sysadminPasswordFile', file),
    secondPaths,
  }
}

function executorOf(subclouds: ConfigFile['subclouds'], files: NamedFiles): AnsibleConfig | SimulatedConfig {
  const { ansible, simulated } = subclouds
  if (simulated) return { kind: 'simulated', ...simulated }
  // One of the two is there: the schema has seen to it.
  if (!ansible) return fail(['subclouds: needs exactly one of ansible, simulated'])
  const at = 'subclouds.ansible'
  const { subcloudCaFile: ca } = ansible
  return {
    kind: 'ansible',
    program: ansible.program,
    playbooksFolder: files.path(ansible.playbooksFolder),
    runsFolder: files.path(ansible.runsFolder),
    controllerValuesFile: files.path(ansible.controllerValuesFile),
    totalLimitMs: ansible.totalMinutes * 60_000,
    connectTimeoutS: ansible.connectTimeoutSeconds,
    subcloudUser: ansible.subcloudUser,
    subcloudPassword: files.read(`${at}.subcloudPasswordFile`, ansible.subcloudPasswordFile),
    subcloudCa: ca === undefined ? undefined : files.read(`${at}.subcloudCaFile`, ca),
  }
}

function tokenKey(text: string): string {
  if (text.length < 32) throw new Error('it needs at least 32 characters')
  return text
}

/** Files that the configuration names, beside it unless their path is absolute. All mistakes are found in one go. */
class NamedFiles {
  readonly mistakes: string[] = []
  readonly #config: string

  constructor(config: string) {
    this.#config = config
  }

  path(name: string): string {
    return resolve(dirname(this.#config), name)
  }

  read(key: string, name: string): string
  read<T>(key: string, name: string, parsed: (text: string) => T): T
  read(key: string, name: string, parsed: (text: string) => unknown = text => text): unknown {
    try {
      const text = readFileSync(this.path(name), 'utf8').trim()
      if (text === '') throw new Error('it is empty')
      return parsed(text)
    } catch (error) {
      const reason = reasonOfRead(error)
      const hint = CONFIG_HINTS[hintKey(key.split('.').filter(part => !/^\d+$/.test(part)))]
      this.mistakes.push(`${this.#config}: ${key}: ${this.path(name)}: ${reason}. ${hint ?? ''}`.trim())
      return ''
    }
  }
}

function readOr(path: string, otherwise: (reason: string) => never): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return otherwise(reasonOfRead(error))
  }
}

function reasonOfRead(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this process may not read it'
  if (code === 'EISDIR') return 'it is a folder'
  return error.message
}

function fail(lines: readonly string[]): never {
  throw new Terminal('Configuration', lines.join('\n'))
}
