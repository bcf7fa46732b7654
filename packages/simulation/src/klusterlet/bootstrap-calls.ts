/** What an agent does on a hub before it has a certificate there. Every call travels under the bootstrap's own token. */
import { isConflict, isForbidden, type KubeClient, resources } from '@godwit/kube'
import { CLIENT_SIGNER, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { CertificateSigningRequest, ManagedCluster } from '../foreign/types.ts'

interface SelfReview {
  readonly spec: object
  readonly status?: { readonly allowed?: boolean }
}

const NEEDED = [
  ['cluster.open-cluster-management.io', 'managedclusters', ['create', 'get']],
  ['certificates.k8s.io', 'certificatesigningrequests', ['create', 'get', 'list', 'watch']],
] as const

/** A bootstrap is valid when its user may register clusters and the hub does not refuse this one. */
export async function isValidBootstrap(client: KubeClient, cluster: string): Promise<boolean> {
  // First: a hub that refuses the cluster is asked again and again.
  if (!(await isWelcome(client, cluster))) return false
  for (const [group, resource, verbs] of NEEDED)
    for (const verb of verbs) if (!(await isAllowed(client, { group, resource, verb }))) return false
  return true
}

async function isWelcome(client: KubeClient, cluster: string): Promise<boolean> {
  try {
    const found = await client.get<ManagedCluster>(foreign.managedClusters, { name: cluster })
    return found === undefined || found.spec.hubAcceptsClient
  } catch (error) {
    if (isForbidden(error)) return false
    throw error
  }
}

async function isAllowed(client: KubeClient, resourceAttributes: object): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: { resourceAttributes },
  }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const answer = await client.post<SelfReview, SelfReview>(path, review)
  return answer.status?.allowed === true
}

export const apiServerOf = (cluster: string) => `https://api.${cluster}.example.com:6443`

/** Makes the ManagedCluster known, with the URL of the cluster's own API server. */
export async function introduce(client: KubeClient, cluster: string): Promise<void> {
  const url = apiServerOf(cluster)
  const found = await client.get<ManagedCluster>(foreign.managedClusters, { name: cluster })
  if (!found) {
    await client.create<ManagedCluster>(foreign.managedClusters, {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name: cluster },
      spec: { hubAcceptsClient: false, managedClusterClientConfigs: [{ url }] },
    })
    return
  }
  const known = found.spec.managedClusterClientConfigs ?? []
  if (known.some(config => config.url === url)) return
  try {
    const spec = { ...found.spec, managedClusterClientConfigs: [...known, { url }] }
    await client.replace(foreign.managedClusters, { ...found, spec })
  } catch (error) {
    // Bootstrap users of plain Open Cluster Management may not update; the agent does without.
    if (!isForbidden(error) && !isConflict(error)) throw error
  }
}

/** Creates a certificate request and returns its name. */
export async function createCsr(client: KubeClient, cluster: string, requestPem: string): Promise<string> {
  const created = await client.create<CertificateSigningRequest>(resources.certificateSigningRequests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: '', generateName: `${cluster}-`, labels: { [labels.clusterName]: cluster } },
    spec: {
      request: Buffer.from(requestPem).toString('base64'),
      signerName: CLIENT_SIGNER,
      usages: ['digital signature', 'key encipherment', 'client auth'],
    },
  })
  return created.metadata.name
}

/** PEM of the certificate issued for a request; undefined while there is none. */
export async function fetchCertificate(client: KubeClient, csr: string): Promise<string | undefined> {
  const found = await client.get<CertificateSigningRequest>(resources.certificateSigningRequests, { name: csr })
  const encoded = found?.status?.certificate
  return encoded && Buffer.from(encoded, 'base64').toString()
}
