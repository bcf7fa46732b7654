/** Approves the certificate requests of agents, as the registration and the import controller do together. */
import { type KubeClient, resources } from '@godwit/kube'
import { rfc3339 } from '@godwit/ports'
import { agentGroups, bootstrapUser, CLIENT_SIGNER, labels } from '../foreign/names.ts'
import type { CertificateSigningRequest } from '../foreign/types.ts'
import type { HubKnobs, Ports } from './context.ts'
import { type Controller, makeController, nameOf, onChangesOf } from './controller.ts'
import type { HubView } from './hub-view.ts'
import type { RegistrationFlags } from './registration-flags.ts'

export interface ApproverOptions {
  readonly view: HubView
  readonly ports: Ports
  readonly knobs: HubKnobs
  readonly flags: RegistrationFlags
}

const isDecided = (csr: CertificateSigningRequest) =>
  csr.status?.conditions?.some(({ type }) => type === 'Approved' || type === 'Denied') === true

export function csrApprover(options: ApproverOptions): Controller {
  const { view, ports, flags } = options
  const pokePending = (poke: (key: string) => void) => () => {
    for (const csr of view.csrs.list()) if (!isDecided(csr)) poke(csr.metadata.name)
  }
  return makeController({
    name: 'csr-approver',
    ports,
    workers: 16,
    watches: [
      onChangesOf(view.csrs, nameOf),
      poke => flags.onRollout(pokePending(poke)),
      // A request of an import identity waits for its ManagedCluster.
      onChangesOf(view.managedClusters, (cluster, { type }) =>
        type === 'added' ? pendingOf(view, cluster.metadata.name) : [],
      ),
    ],
    reconcile: name => reconcile(options, name),
  })
}

const pendingOf = (view: HubView, cluster: string) =>
  view
    .csrsOf(cluster)
    .filter(csr => !isDecided(csr))
    .map(csr => csr.metadata.name)

async function reconcile(options: ApproverOptions, name: string): Promise<number | undefined> {
  const { view, ports, knobs } = options
  const csr = view.csrs.get({ name })
  if (csr?.spec.signerName !== CLIENT_SIGNER) return undefined
  if (isDecided(csr)) return forgetOld(options, csr)
  if (knobs.csrApproval !== 'auto') return undefined
  const reason = await reasonToApprove(options, csr)
  if (reason) await approveCsr(view.access.client, csr, reason, ports.clock.now())
  return undefined
}

async function reasonToApprove(options: ApproverOptions, csr: CertificateSigningRequest): Promise<string | undefined> {
  const { view, knobs, flags } = options
  const cluster = csr.metadata.labels?.[labels.clusterName] ?? ''
  const user = csr.spec.username ?? ''
  if (flags.current.isAutoApproving && flags.current.users.has(user)) return 'AutoApprovedByHubCSRApprovingController'
  const isImported = knobs.importControllerMode !== 'absent' && user === bootstrapUser(cluster)
  if (isImported && view.managedClusters.get({ name: cluster })) return 'AutoApprovedByCSRController'
  const isRenewal = user.startsWith(`system:open-cluster-management:${cluster}:`)
  if (isRenewal && (await mayRenew(view.access.client, user, cluster))) return 'AutoApprovedByHubCSRApprovingController'
  return undefined
}

interface AccessReview {
  readonly spec: object
  readonly status?: { readonly allowed?: boolean }
}

async function mayRenew(client: KubeClient, user: string, cluster: string): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      user,
      groups: [...agentGroups(cluster), 'system:authenticated'],
      resourceAttributes: {
        group: 'register.open-cluster-management.io',
        resource: 'managedclusters',
        subresource: 'clientcertificates',
        verb: 'renew',
      },
    },
  }
  const answer = await client.post<AccessReview, AccessReview>(
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    review,
  )
  return answer.status?.allowed === true
}

/** Writes the Approved condition. */
export async function approveCsr(
  client: KubeClient,
  csr: CertificateSigningRequest,
  reason: string,
  nowMs: number,
): Promise<void> {
  const approved = {
    type: 'Approved',
    status: 'True',
    reason,
    message: 'Approved for a managed cluster agent',
    lastUpdateTime: rfc3339(nowMs),
  }
  const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] }
  await client.replace(resources.certificateSigningRequests, { ...csr, status }, { subresource: 'approval' })
}

/** The real cluster forgets decided requests after an hour. */
async function forgetOld(
  { view, ports, knobs }: ApproverOptions,
  csr: CertificateSigningRequest,
): Promise<number | undefined> {
  const leftMs = Date.parse(csr.metadata.creationTimestamp ?? '') + knobs.csrKeepMs - ports.clock.now()
  if (leftMs > 0) return leftMs
  await view.access.client.delete(resources.certificateSigningRequests, { name: csr.metadata.name })
  return undefined
}
