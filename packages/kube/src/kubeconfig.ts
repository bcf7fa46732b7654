/**
 * From a kubeconfig to a transport. @kubernetes/client-node parses YAML and runs credential plug-ins; it takes half a
 * second and 80 MB to load, so it is loaded only for a file that needs it: JSON (which is YAML) with plain credentials
 * does not.
 */
import { readFile } from 'node:fs/promises'
import type { Agent } from 'node:http'
import type { RequestOptions } from 'node:https'
import { dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { type CredentialSource, type Credentials, type HttpTransportOptions, httpTransport } from './http-transport.ts'
import { isRecord, type Json, type JsonObject, parseJson } from './json.ts'
import { type Transport, TransportError } from './transport.ts'

export type KubeconfigSource = { readonly path: string } | { readonly text: string }

export interface KubeconfigOptions {
  /** Name of a context; default: the file's current one. */
  readonly context?: string
  readonly maxSockets?: number
}

/** The file is read at the first request. Reading it again after a failure is up to the next request. */
export function kubeconfigTransport(source: KubeconfigSource, options: KubeconfigOptions = {}): Transport {
  let opened: Promise<Transport> | undefined
  const open = () => {
    opened ??= openKubeconfig(source, options).catch(error => {
      opened = undefined
      throw new TransportError('ConnectionError', messageOf(error), { wasSent: false })
    })
    return opened
  }
  return {
    request: async request => (await open()).request(request),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : 'the kubeconfig cannot be used')

async function openKubeconfig(source: KubeconfigSource, options: KubeconfigOptions): Promise<Transport> {
  const text = 'text' in source ? source.text : await readFile(source.path, 'utf8')
  const folder = 'path' in source ? resolve(dirname(source.path)) : resolve()
  const limits = options.maxSockets === undefined ? {} : { maxSockets: options.maxSockets }
  const plain = plainConfig(parseJson(text), options.context)
  if (plain) return httpTransport({ ...(await plainTransport(plain, folder)), ...limits })
  const config = await loadWithClientNode(text, folder, options.context)
  const written = plainConfig(parseJson(config.exportConfig()), config.getCurrentContext())
  return httpTransport({
    ...(written ? await plainTransport(written, folder) : await pluginTransport(config)),
    ...limits,
  })
}

interface PlainConfig {
  readonly cluster: JsonObject
  readonly user: JsonObject
}

const PLAIN_CLUSTER = [
  'server',
  'certificate-authority',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
  'tls-server-name',
]
const PLAIN_USER = [
  'as',
  'as-groups',
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
]

/** The chosen cluster and user, when they hold nothing but what this file handles itself. */
function plainConfig(config: Json | undefined, context: string | undefined): PlainConfig | undefined {
  if (!isRecord(config)) return undefined
  const chosen = named(config['contexts'], context ?? config['current-context'])?.['context']
  if (!isRecord(chosen)) return undefined
  const cluster = named(config['clusters'], chosen['cluster'])?.['cluster']
  const user = named(config['users'], chosen['user'])?.['user'] ?? {}
  if (!isRecord(cluster) || !isRecord(user)) return undefined
  const isPlain = holdsOnly(cluster, PLAIN_CLUSTER) && holdsOnly(user, PLAIN_USER)
  return isPlain && typeof cluster['server'] === 'string' ? { cluster, user } : undefined
}

const holdsOnly = (record: JsonObject, names: readonly string[]) =>
  Object.entries(record).every(([name, value]) => value === null || names.includes(name))

const named = (list: Json | undefined, name: Json | undefined) =>
  Array.isArray(list) ? list.filter(isRecord).find(entry => entry['name'] === name) : undefined

async function plainTransport({ cluster, user }: PlainConfig, folder: string): Promise<HttpTransportOptions> {
  const [ca, cert, key] = await Promise.all([
    pem(cluster, 'certificate-authority', folder),
    pem(user, 'client-certificate', folder),
    pem(user, 'client-key', folder),
  ])
  const token = textOf(user['token'])
  const tokenFile = textOf(user['tokenFile'])
  const serverName = textOf(cluster['tls-server-name'])
  return {
    server: textOf(cluster['server']) ?? '',
    ...(cluster['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
    ...(serverName !== undefined && { serverName }),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...impersonation(user),
    ...(token !== undefined && { token }),
    ...(token === undefined && tokenFile !== undefined && { tokenSource: readToken(resolve(folder, tokenFile)) }),
  }
}

function impersonation({ as, 'as-groups': groups }: JsonObject): Pick<HttpTransportOptions, 'impersonation'> {
  const user = textOf(as)
  if (user === undefined) return {}
  const names = Array.isArray(groups) ? groups.filter(group => typeof group === 'string') : []
  return { impersonation: { 'impersonate-user': user, ...(names.length > 0 && { 'impersonate-group': names }) } }
}

const textOf = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

/** Read each time: it is small, in the page cache, and somebody else rotates it. */
const readToken = (path: string) => async () => (await readFile(path, 'utf8')).trim()

async function pem(from: JsonObject, name: string, folder: string): Promise<Buffer | undefined> {
  const inline = textOf(from[`${name}-data`])
  if (inline !== undefined) return Buffer.from(inline, 'base64')
  const path = textOf(from[name])
  return path === undefined ? undefined : await readFile(resolve(folder, path))
}

/** For users and clusters that this file does not handle itself: plug-ins, passwords, proxies. */
async function pluginTransport(config: KubeConfig): Promise<HttpTransportOptions> {
  const cluster = config.getCurrentCluster()
  const first = await requestOptionsOf(config)
  return {
    server: cluster?.server ?? '',
    credentials: pluginCredentials(config),
    ...impersonation({ as: config.getCurrentUser()?.impersonateUser }),
    ...(isPem(first.ca) && { ca: first.ca }),
    ...(first.rejectUnauthorized === false && { insecureSkipTlsVerify: true }),
    ...(first.servername !== undefined && { serverName: first.servername }),
    ...(cluster?.proxyUrl !== undefined && first.agent && { agent: first.agent as Agent }),
  }
}

async function loadWithClientNode(text: string, folder: string, context: string | undefined): Promise<KubeConfig> {
  const config = await newKubeConfig()
  try {
    config.loadFromString(text)
  } catch (error) {
    throw withoutSnippet(error)
  }
  config.makePathsAbsolute(folder)
  if (context !== undefined) config.setCurrentContext(context)
  if (!config.getCurrentCluster())
    throw new Error(`the kubeconfig has no cluster for context ${JSON.stringify(config.getCurrentContext() ?? '')}`)
  // client-node does not know this member, and would go on without any credentials.
  if (/\btokenFile"?\s*:/.test(text) && !config.getCurrentUser()?.token)
    throw new Error('the kubeconfig has a tokenFile, which is supported in JSON only')
  return config
}

/** The error of a YAML parser shows the lines around the mistake, which may be those of a token. */
function withoutSnippet(error: unknown): unknown {
  if (error instanceof TypeError) return new Error('the kubeconfig has another form than a kubeconfig')
  if (!(error instanceof Error && 'mark' in error)) return error
  const line = (error.mark as { readonly line?: number } | undefined)?.line
  return new Error(`the kubeconfig is not valid YAML${line === undefined ? '' : `: see line ${line + 1}`}`)
}

async function newKubeConfig(): Promise<KubeConfig> {
  // Only this module of the package: its index also loads the typed API of every kind.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  return new KubeConfig()
}

/** client-node remembers what a plug-in returned until it expires; a new KubeConfig has forgotten it. */
function pluginCredentials(first: KubeConfig): CredentialSource {
  let config = Promise.resolve(first)
  const forget = async () => {
    const { clusters, users, contexts, currentContext } = first
    const fresh = await newKubeConfig()
    fresh.loadFromOptions({ clusters, users, contexts, currentContext })
    return fresh
  }
  return {
    async current() {
      return credentialsOf(await requestOptionsOf(await config))
    },
    refuse() {
      config = forget()
    },
  }
}

async function requestOptionsOf(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch {
    // What a plug-in printed may hold secrets: its error is not passed on.
    throw new TransportError('ConnectionError', 'the kubeconfig gave no credentials', { wasSent: false })
  }
  return options
}

function credentialsOf({ headers, auth, cert, key }: RequestOptions): Credentials {
  const header = headers && 'Authorization' in headers ? headers['Authorization'] : undefined
  const basic = typeof auth === 'string' ? `Basic ${Buffer.from(auth).toString('base64')}` : undefined
  const authorization = typeof header === 'string' ? header : basic
  return {
    ...(authorization !== undefined && { authorization }),
    ...(isPem(cert) && { cert }),
    ...(isPem(key) && { key }),
  }
}

const isPem = (value: unknown): value is string | Buffer => typeof value === 'string' || Buffer.isBuffer(value)
