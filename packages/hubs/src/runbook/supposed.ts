/**
 * What an undo would find if everything that the record says was done is still there. For runbooks: the hub may be out
 * of reach, so nothing is read; every command that follows is harmless where its work is done already.
 */
import { type Journal, type ObjectRef, recall } from '../agent/facts.ts'
import {
  annotations,
  BOOTSTRAP_ROLES,
  LEASE_NAME,
  type ManagedCluster,
  type Progress,
  registrationBinding,
  subjectAccessReviewRole,
} from '../api/index.ts'
import { claimAnnotations, type Pausable, type SourceItemFacts, STALE_LEASE } from '../source/item-facts.ts'
import type { SourceSharedFacts } from '../source/shared-table.ts'
import type { TargetItemFacts } from '../target/item-facts.ts'
import type { TargetSharedFacts } from '../target/shared-table.ts'

const UNKNOWN_LEASE = 'unknown'

export interface SupposedItem {
  readonly cluster: string
  readonly migrationUid: string
  readonly to: string
  readonly progress: Progress | undefined
}

const clusterWith = (name: string, own: Readonly<Record<string, string>>, accepted: boolean): ManagedCluster => ({
  apiVersion: 'cluster.open-cluster-management.io/v1',
  kind: 'ManagedCluster',
  metadata: { name, annotations: { ...own } },
  spec: { hubAcceptsClient: accepted },
})

const remembered = ({ progress }: SupposedItem) => ({
  journal: progress?.journal ?? {},
  evidence: progress?.evidence ?? {},
})

export function supposedSource(item: SupposedItem): SourceItemFacts {
  const { cluster: name, migrationUid, to } = item
  const { journal, evidence } = remembered(item)
  const staleLease = recall(journal, STALE_LEASE) ?? UNKNOWN_LEASE
  const facts: SourceItemFacts = {
    name,
    migrationUid,
    to,
    evidence,
    journal: { ...journal, [STALE_LEASE]: JSON.stringify(staleLease) },
    cluster: undefined,
    hasNamespace: true,
    work: undefined,
    lease: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: LEASE_NAME, namespace: name, uid: staleLease },
    },
    pausables: pausablesOf(name, journal),
    observabilityAddons: [],
    bootstrapKubeconfig: undefined,
    sealTo: undefined,
  }
  const ours = { ...claimAnnotations(facts), [annotations.disableAutoImport]: '' }
  return { ...facts, cluster: clusterWith(name, ours, false) }
}

/** Journal keys of objects that were paused are `Kind/name/annotation/key`. */
function pausablesOf(cluster: string, journal: Journal): Pausable[] {
  return Object.keys(journal).flatMap(entry => {
    const [kind = '', name = '', what, ...key] = entry.split('/')
    if (what !== 'annotation' || kind === 'ManagedCluster') return []
    const ref: ObjectRef = { kind, name, namespace: cluster }
    return [{ ref, key: key.join('/'), value: 'true', finalizers: [] }]
  })
}

export function supposedTarget(item: SupposedItem): TargetItemFacts {
  const { cluster: name, migrationUid } = item
  const { journal, evidence } = remembered(item)
  return {
    name,
    migrationUid,
    journal,
    evidence,
    bundle: undefined,
    cluster: clusterWith(name, { [annotations.migration]: migrationUid }, true),
    namespace: { isOurs: true, isTerminating: false, isRetained: false },
    work: undefined,
    lease: undefined,
    ownBootstrapRequests: [],
    usesMigrationCredential: false,
  }
}

const nothingRemembered = { journal: {}, evidence: {} }

export const supposedSharedSource = (to: string): SourceSharedFacts => ({
  ...nothingRemembered,
  to,
  hasMultiClusterHub: true,
  decisions: undefined,
  placement: undefined,
  hasCredential: true,
  bootstrapSecret: 'ours',
  klusterletConfig: 'ours',
})

export const supposedSharedTarget = (migration: string, user: string | undefined): TargetSharedFacts => ({
  ...nothingRemembered,
  hasClusterManager: true,
  user,
  isApproving: true,
  isRelyingOnApproval: true,
  bootstrapRole: BOOTSTRAP_ROLES[0],
  hasSealingKey: true,
  rbac: {
    wanted: [],
    present: [subjectAccessReviewRole(migration), registrationBinding(migration)],
  },
})
