import type { Direction } from '@godwit/core'
import type { ItemContext, Journal, ObjectRef } from '../agent/facts.ts'
import { isApplied, isReadOnly, journalKey, leaseMark, recall, remember } from '../agent/facts.ts'
import type { Lease, ManagedCluster, ManifestWork, StageName } from '../api/index.ts'
import { annotation, annotations, bootstrapSecretName, klusterletConfigName, labels } from '../api/index.ts'
import { digestOf } from '../bundle/bundle.ts'

/** An object of another controller that must stand still while its cluster moves. */
export interface Pausable {
  readonly ref: ObjectRef
  /** Annotation that pauses its controller. */
  readonly key: string
  readonly value: string | undefined
  readonly finalizers: readonly string[]
}

/** One look at a cluster on the hub it leaves. */
export interface SourceItemFacts extends ItemContext {
  readonly to: string
  readonly cluster: ManagedCluster | undefined
  /** The cluster's namespace exists, and nobody asked the hub to keep it. */
  readonly hasNamespace: boolean
  readonly work: ManifestWork | undefined
  readonly lease: Lease | undefined
  /** ClusterDeployments, BareMetalHosts, DataImages and ImageClusterInstalls in the cluster's namespace. */
  readonly pausables: readonly Pausable[]
  /** Names of ObservabilityAddons in the cluster's namespace. */
  readonly observabilityAddons: readonly string[]
  /** Base64 of the bootstrap kubeconfig that the migration delivers; undefined until it exists on this hub. */
  readonly bootstrapKubeconfig: string | undefined
  /** Public key that bundles must be sealed for. */
  readonly sealTo: string | undefined
}

export const claimOf = (facts: SourceItemFacts) => annotation(facts.cluster, annotations.migration)
export const isClaimed = (facts: SourceItemFacts) => claimOf(facts) === facts.migrationUid
export const isAccepted = (facts: SourceItemFacts) => facts.cluster?.spec?.hubAcceptsClient === true

/** What Initializing sets on the ManagedCluster first: the claim, the mark and the two-hub configuration. */
export const claimAnnotations = (facts: SourceItemFacts): Readonly<Record<string, string>> => ({
  [annotations.migration]: facts.migrationUid,
  [annotations.migrating]: '',
  [annotations.klusterletConfig]: klusterletConfigName(facts.to),
})

/** The klusterlet work carries this migration's bootstrap Secret and a Klusterlet that names it. */
export function carriesConfig({ work, bootstrapKubeconfig, to }: SourceItemFacts): boolean {
  if (!work || bootstrapKubeconfig === undefined) return false
  const manifests = work.spec?.workload?.manifests ?? []
  const secretName = bootstrapSecretName(to)
  const carriesSecret = manifests.some(
    manifest =>
      manifest.kind === 'Secret' &&
      manifest.metadata?.name === secretName &&
      (manifest['data'] as Record<string, string> | undefined)?.['kubeconfig'] === bootstrapKubeconfig,
  )
  return carriesSecret && manifests.some(manifest => manifest.kind === 'Klusterlet' && names(manifest, secretName))
}

/** The work agent has really written the two-hub configuration to the managed cluster, in its newest generation. */
const isApplyingConfig = (facts: SourceItemFacts) =>
  carriesConfig(facts) && facts.work !== undefined && !isReadOnly(facts.work) && isApplied(facts.work)

/**
 * The two-hub configuration has reached the managed cluster (H-30). A receipt, because the import controller turns the
 * work ReadOnly as soon as imports are held back (H-31); it speaks of this very bootstrap and of no other.
 */
export const isConfigDelivered = (facts: SourceItemFacts) =>
  facts.bootstrapKubeconfig !== undefined && facts.evidence[DELIVERED] === digestOf(facts.bootstrapKubeconfig)

/** Evidence key: digest of the bootstrap kubeconfig that was seen applied on the managed cluster. */
export const DELIVERED = 'delivered'

function names(klusterlet: { readonly [member: string]: unknown }, secretName: string): boolean {
  interface KlusterletSpec {
    registrationConfiguration?: {
      bootstrapKubeConfigs?: { localSecretsConfig?: { kubeConfigSecrets?: { name?: string }[] } }
    }
  }
  const spec = klusterlet['spec'] as KlusterletSpec | undefined
  const secrets = spec?.registrationConfiguration?.bootstrapKubeConfigs?.localSecretsConfig?.kubeConfigSecrets ?? []
  return secrets.some(secret => secret.name === secretName)
}

export const isLocalCluster = (facts: SourceItemFacts) =>
  facts.cluster?.metadata.labels?.[labels.localCluster] === 'true'

export const clusterRef = (facts: SourceItemFacts): ObjectRef => ({ kind: 'ManagedCluster', name: facts.name })

/** Facts that the hub will stop showing: the delivery, whether it ever denied the cluster, the first lease since a rollback. */
export function receiptsOf(facts: SourceItemFacts, stage: StageName, direction: Direction): Record<string, string> {
  const receipts: Record<string, string> = {}
  const { bootstrapKubeconfig } = facts
  if (stage === 'Initializing' && bootstrapKubeconfig !== undefined && isApplyingConfig(facts))
    receipts[DELIVERED] = digestOf(bootstrapKubeconfig)
  if (stage !== 'Registering' || !facts.cluster) return receipts
  if (!isAccepted(facts)) receipts['denied'] = 'true'
  const staleLease = recall(facts.journal, STALE_LEASE)
  const isNewLease = facts.lease !== undefined && staleLease !== undefined && facts.lease.metadata.uid !== staleLease
  const mark = leaseMark(facts.lease)
  if (
    direction === 'Undo' &&
    isAccepted(facts) &&
    isNewLease &&
    mark &&
    facts.evidence['leaseAtRollback'] === undefined
  )
    receipts['leaseAtRollback'] = mark
  return receipts
}

/** Journal key: uid of the lease that the klusterlet left behind; null when it left none. */
export const STALE_LEASE = 'Lease/uid'

/** Values to remember before the first effect of a stage in this direction. */
export function journalFor(facts: SourceItemFacts, stage: StageName, direction: Direction): Journal {
  if (stage === 'Initializing' && direction === 'Forward') return journalOf(facts)
  const isReturn = stage === 'Registering' && direction === 'Undo' && facts.evidence['denied'] !== undefined
  return isReturn ? { [STALE_LEASE]: remember(facts.lease?.metadata.uid) } : {}
}

/** Everything that Initializing is about to change, as it is now. Merged under what is journalled already. */
function journalOf(facts: SourceItemFacts): Journal {
  const journal: Record<string, string> = {}
  for (const key of [...Object.keys(claimAnnotations(facts)), annotations.disableAutoImport])
    journal[journalKey(clusterRef(facts), key)] = remember(annotation(facts.cluster, key))
  for (const { ref, key, value } of facts.pausables) journal[journalKey(ref, key)] = remember(value)
  return journal
}
