export interface BootstrapAccess {
  /** Name of the target hub; the reference names the cluster entry after it, and klusterlets compare it. */
  readonly hub: string
  readonly server: string
  readonly caPem: string
  readonly token: string
}

/** Kubeconfig (JSON, which is YAML) that a klusterlet bootstraps with: names as the reference writes them. */
export function renderBootstrapKubeconfig({ hub, server, caPem, token }: BootstrapAccess): string {
  const cluster = {
    server,
    ...(caPem && { 'certificate-authority-data': Buffer.from(caPem).toString('base64') }),
    ...(server.startsWith('http:') && { 'insecure-skip-tls-verify': true }),
  }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: hub, cluster }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'default-context', context: { cluster: hub, user: 'user' } }],
    'current-context': 'default-context',
  })
}
