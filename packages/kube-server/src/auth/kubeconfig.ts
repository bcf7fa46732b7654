/** Files that tell kubectl and other clients where a server is and who they are. */

export interface KubeconfigOptions {
  /** URL; with `http:` the file tells clients not to ask for TLS. */
  readonly server: string
  /** Name of the cluster entry. */
  readonly cluster: string
  /** Name of the user entry. */
  readonly user: string
  readonly namespace?: string
  readonly caPem?: string
  readonly token?: string
  readonly clientCertPem?: string
  readonly clientKeyPem?: string
}

// JSON strings are YAML strings, whatever they contain.
const quoted = (text: string) => JSON.stringify(text)
const base64 = (text: string) => Buffer.from(text).toString('base64')

function clusterLines({ server, caPem }: KubeconfigOptions): string[] {
  // The Node client refuses plain http without this line; kubectl does not mind it.
  const trust = server.startsWith('http:')
    ? ['    insecure-skip-tls-verify: true']
    : caPem
      ? [`    certificate-authority-data: ${base64(caPem)}`]
      : []
  return [`    server: ${quoted(server)}`, ...trust]
}

function userLines({ token, clientCertPem, clientKeyPem }: KubeconfigOptions): string[] {
  return [
    ...(token ? [`    token: ${quoted(token)}`] : []),
    ...(clientCertPem ? [`    client-certificate-data: ${base64(clientCertPem)}`] : []),
    ...(clientKeyPem ? [`    client-key-data: ${base64(clientKeyPem)}`] : []),
  ]
}

/** YAML of a kubeconfig with one cluster, one user and one context (called `user@cluster`), which is the current one. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const cluster = quoted(options.cluster)
  const user = quoted(options.user)
  const context = quoted(`${options.user}@${options.cluster}`)
  const credentials = userLines(options)
  return `${[
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${cluster}`,
    '  cluster:',
    ...clusterLines(options),
    'users:',
    `- name: ${user}`,
    ...(credentials.length > 0 ? ['  user:', ...credentials] : ['  user: {}']),
    'contexts:',
    `- name: ${context}`,
    '  context:',
    `    cluster: ${cluster}`,
    `    user: ${user}`,
    ...(options.namespace ? [`    namespace: ${quoted(options.namespace)}`] : []),
    `current-context: ${context}`,
  ].join('\n')}\n`
}
