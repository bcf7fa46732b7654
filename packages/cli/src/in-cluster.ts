import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * A kubeconfig for the ServiceAccount of the pod that this process runs in; the token is read again each time, because
 * the kubelet renews it.
 *
 * @throws when the process does not run in a pod with a ServiceAccount
 */
export function inClusterKubeconfig(
  env: Readonly<Record<string, string | undefined>>,
  folder: string = FOLDER,
): { readonly text: string } {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  const tokenFile = join(folder, 'token')
  if (!host || !existsSync(tokenFile))
    throw new Error('this process does not run in a pod with a ServiceAccount: give --kubeconfig')
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const name = 'in-cluster'
  return {
    text: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority': join(folder, 'ca.crt') } }],
      users: [{ name, user: { tokenFile } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    }),
  }
}
