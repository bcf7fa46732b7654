/** How a kubeconfig reaches its server: what tests need of one, credentials in the file or beside it. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Credentials } from './socket-transport.ts'

type Fields = Readonly<Record<string, unknown>>
interface Named extends Fields {
  readonly name?: unknown
}

export interface KubeconfigAccess {
  readonly server: string
  readonly credentials: Credentials
}

/** The server of the current context. Throws what is missing; programs that print credentials are not run. */
export function accessOf(path: string): KubeconfigAccess {
  const config = parse(readFileSync(path, 'utf8')) as Fields
  const context = pick(config, 'context', config['current-context'])
  const cluster = pick(config, 'cluster', context['cluster'])
  const user = pick(config, 'user', context['user'])
  const pem = (holder: Fields, key: string) => {
    const [data, file] = [holder[`${key}-data`], holder[key]]
    if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8')
    return typeof file === 'string' ? readFileSync(resolve(dirname(path), file), 'utf8') : undefined
  }
  const ca = pem(cluster, 'certificate-authority')
  const [cert, key] = [pem(user, 'client-certificate'), pem(user, 'client-key')]
  const token = typeof user['token'] === 'string' ? user['token'] : undefined
  if (!token && !cert)
    throw new Error(`user ${context['user']} of ${path} has neither a token nor a client certificate`)
  return {
    server: String(cluster['server']),
    credentials: {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(token && { token }),
      insecure: cluster['insecure-skip-tls-verify'] === true,
    },
  }
}

function pick(config: Fields, kind: 'context' | 'cluster' | 'user', name: unknown): Fields {
  const entries = config[`${kind}s`]
  const found = Array.isArray(entries) ? (entries as Named[]).find(entry => entry.name === name)?.[kind] : undefined
  if (found === null || typeof found !== 'object') throw new Error(`the kubeconfig has no ${kind} ${name}`)
  return found as Fields
}
