import { type ItemContext, isApplied, isReadOnly, leaseMark } from '../agent/facts.ts'
import type { Lease, ManagedCluster, ManifestWork } from '../api/index.ts'
import { annotation, annotations, type CertificateSigningRequest, conditionOf, isTrue, labels } from '../api/index.ts'

export interface NamespaceFacts {
  readonly isOurs: boolean
  readonly isTerminating: boolean
  /** The hub keeps it, with its content, when the cluster goes. */
  readonly isRetained: boolean
}

/** One look at a cluster on the hub it goes to. */
export interface TargetItemFacts extends ItemContext {
  /** Secret with the sealed resources and the digest of this item in it; undefined until the source delivered. */
  readonly bundle: { readonly secret: string; readonly digest: string } | undefined
  readonly cluster: ManagedCluster | undefined
  readonly namespace: NamespaceFacts | undefined
  readonly work: ManifestWork | undefined
  readonly lease: Lease | undefined
  /** Requests for a client certificate that the cluster made with the target's own bootstrap account. */
  readonly ownBootstrapRequests: readonly CertificateSigningRequest[]
  /** Its klusterlet asked for a certificate with the credential of the migration, which nobody else has. */
  readonly usesMigrationCredential: boolean
}

export const isOurs = (facts: TargetItemFacts) =>
  annotation(facts.cluster, annotations.migration) === facts.migrationUid

/** Made by somebody else, and not marked by any migration. */
const isUnmarked = ({ cluster }: TargetItemFacts) =>
  cluster !== undefined && annotation(cluster, annotations.migration) === undefined

/**
 * Any restart may bring a klusterlet that knows both hubs to this one before anything was deployed for it: it makes its
 * own ManagedCluster. That one is the cluster's own.
 */
export const isIntroduced = (facts: TargetItemFacts) => isUnmarked(facts) && facts.usesMigrationCredential

/** It may be such a klusterlet, which asks for its certificate in a moment. */
export const mayBeIntroduced = (facts: TargetItemFacts) =>
  isUnmarked(facts) && !isTrue(conditionOf(facts.cluster, 'ManagedClusterJoined'))

/** The klusterlet has been seen on this hub since the cluster was deployed here. */
export function hasJoined(facts: TargetItemFacts): boolean {
  const baseline = facts.evidence['leaseAtDeploy']
  return baseline !== undefined && facts.lease !== undefined && leaseMark(facts.lease) !== baseline
}

/** The klusterlet has turned to this hub, whether it was told to or came of itself. */
export const hasCome = (facts: TargetItemFacts) =>
  facts.usesMigrationCredential || facts.evidence['came'] !== undefined || hasJoined(facts)

/** An import controller looks after the klusterlet on this hub and will give it a bootstrap of its own. */
export const isImportManaged = (facts: TargetItemFacts) =>
  facts.work?.metadata.labels?.[labels.klusterletWorks] === 'true'

const isIssued = (request: CertificateSigningRequest) =>
  isTrue(conditionOf(request, 'Approved')) && Boolean(request.status?.certificate)

/** Whether the cluster works with the target's own bootstrap, so that the migration's credential may go (H-32, H-58). */
export function usesOwnBootstrap(facts: TargetItemFacts): boolean {
  if (!isImportManaged(facts)) return true
  return (
    facts.evidence['ownBootstrap'] !== undefined &&
    facts.work !== undefined &&
    !isReadOnly(facts.work) &&
    isApplied(facts.work) &&
    isTrue(conditionOf(facts.cluster, 'ManagedClusterImportSucceeded'))
  )
}

/**
 * The target's import controller has given the klusterlet its own bootstrap, which knows this hub alone: denied here it
 * could not go anywhere else. From now on the cluster belongs to the target.
 */
export const isTakenOver = (facts: TargetItemFacts) =>
  facts.evidence['takenOver'] !== undefined ||
  facts.evidence['ownBootstrap'] !== undefined ||
  (isImportManaged(facts) && hasCome(facts) && isTakenOverBy(facts.work))

/** The work that brings the bootstrap is not held back, and the cluster has applied it. */
export const isTakenOverBy = (work: ManifestWork | undefined) =>
  work !== undefined && !isReadOnly(work) && isApplied(work)

/** Facts that the hub will stop showing: leases move on, certificate requests are collected after an hour. */
export function receiptsOf(facts: TargetItemFacts): Record<string, string> {
  const receipts: Record<string, string> = {}
  const mark = leaseMark(facts.lease)
  const known = facts.evidence['leaseAtDeploy']
  const isOtherLease = known !== undefined && mark !== undefined && known.split('@')[0] !== mark.split('@')[0]
  if (isOurs(facts) && mark !== undefined && (known === undefined || isOtherLease)) receipts['leaseAtDeploy'] = mark
  const issued = facts.ownBootstrapRequests.find(isIssued)
  if (issued && facts.evidence['ownBootstrap'] === undefined) receipts['ownBootstrap'] = issued.metadata.name
  if (facts.usesMigrationCredential && facts.evidence['came'] === undefined) receipts['came'] = 'true'
  if (isOurs(facts) && facts.evidence['takenOver'] === undefined && isTakenOver(facts)) receipts['takenOver'] = 'true'
  return receipts
}
