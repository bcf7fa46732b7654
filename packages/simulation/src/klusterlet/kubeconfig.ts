/** Kubeconfigs of agents: one hub, one user. */
import { createHash } from 'node:crypto'

/** Where a hub is and how a klusterlet proves itself there. */
export interface HubKubeconfig {
  readonly server: string
  /** Digest of the CA bundle: only ever compared. */
  readonly caHash: string
  /** Name of the cluster entry that the current context points to. */
  readonly contextCluster: string
  readonly token?: string
}

export interface KubeconfigParts {
  readonly server: string
  /** Base64 of the PEM bundle, or empty. */
  readonly caData: string
  readonly contextCluster: string
  readonly token: string
}

/** Text of a kubeconfig with one cluster and one bearer token; JSON, which is YAML too. */
export function renderKubeconfig({ server, caData, contextCluster, token }: KubeconfigParts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: contextCluster, cluster: { server, ...(caData && { 'certificate-authority-data': caData }) } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'default-context', context: { cluster: contextCluster, user: 'user', namespace: 'default' } }],
    'current-context': 'default-context',
  })
}

interface Named {
  readonly name?: unknown
}

interface KubeconfigFile {
  readonly clusters?: readonly (Named & { readonly cluster?: Readonly<Record<string, unknown>> })[]
  readonly users?: readonly (Named & { readonly user?: Readonly<Record<string, unknown>> })[]
  readonly contexts?: readonly (Named & { readonly context?: Readonly<Record<string, unknown>> })[]
  readonly 'current-context'?: unknown
}

/** Digest of a CA bundle. */
export const hashCa = (caData: string) => createHash('sha256').update(caData).digest('hex').slice(0, 16)

/** Reads the current context of a kubeconfig in JSON. Undefined when it is not one: such a bootstrap is invalid. */
export function parseKubeconfig(text: string): HubKubeconfig | undefined {
  const file = parseFile(text)
  const byName = <T extends Named>(list: readonly T[] | undefined, name: unknown) =>
    list?.find(each => each.name === name)
  const context = byName(file?.contexts, file?.['current-context'])?.context
  const cluster = byName(file?.clusters, context?.['cluster'])?.cluster
  const user = byName(file?.users, context?.['user'])?.user
  const server = cluster?.['server']
  const token = user?.['token']
  if (typeof server !== 'string') return undefined
  return {
    server,
    caHash: hashCa(String(cluster?.['certificate-authority-data'] ?? '')),
    contextCluster: String(context?.['cluster']),
    ...(typeof token === 'string' && { token }),
  }
}

function parseFile(text: string): KubeconfigFile | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
