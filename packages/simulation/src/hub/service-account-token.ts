import type { KubeClient } from '@godwit/kube'

interface TokenRequest {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: object
  readonly spec: { readonly expirationSeconds: number }
  readonly status?: { readonly token: string; readonly expirationTimestamp: string }
}

export interface IssuedToken {
  readonly token: string
  readonly expirationTimestamp: string
}

/** Asks the API server for a token of a ServiceAccount. */
export async function requestToken(
  client: KubeClient,
  account: { readonly name: string; readonly namespace: string },
  expirationSeconds: number,
): Promise<IssuedToken> {
  const { status } = await client.post<TokenRequest, TokenRequest>(
    `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec: { expirationSeconds } },
  )
  if (!status) throw new Error(`no token issued for ServiceAccount ${account.namespace}/${account.name}`)
  return status
}
