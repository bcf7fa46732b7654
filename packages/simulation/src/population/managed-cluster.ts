/** The objects of one ordinary managed cluster. Pure. */
import { rfc3339 } from '@godwit/ports'
import { annotations, conditions, finalizers, labels } from '../foreign/names.ts'
import type { Condition, ManagedCluster, ManagedClusterAddOn, OpenObject } from '../foreign/types.ts'
import { clusterFacts, HEALTHY } from '../klusterlet/agent-calls.ts'
import { apiServerOf } from '../klusterlet/bootstrap-calls.ts'

export interface ClusterOptions {
  readonly name: string
  readonly clusterSet: string
  readonly leaseDurationSeconds: number
  /** False: a hub without import controller. */
  readonly isImported: boolean
}

/** A cluster that was accepted long ago. */
export function managedCluster({ name, clusterSet, leaseDurationSeconds, isImported }: ClusterOptions): ManagedCluster {
  return {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: {
      name,
      labels: { name, cloud: 'BareMetal', vendor: 'OpenShift', [labels.clusterSet]: clusterSet },
      annotations: { 'open-cluster-management/created-via': 'other' },
      finalizers: [
        finalizers.apiResourceCleanup,
        finalizers.resourceCleanup,
        ...(isImported ? [finalizers.importCleanup, finalizers.importWorkCleanup] : []),
      ],
    },
    spec: {
      hubAcceptsClient: true,
      leaseDurationSeconds,
      managedClusterClientConfigs: [{ url: apiServerOf(name) }],
    },
  }
}

/** Status of a cluster that is joined and available. */
export function healthyStatus(name: string, nowMs: number): Record<string, unknown> {
  const lastTransitionTime = rfc3339(nowMs)
  const accepted = {
    type: conditions.hubAccepted,
    status: 'True' as const,
    reason: 'HubClusterAdminAccepted',
    message: 'Accepted by hub cluster admin',
  }
  const all: Condition[] = [accepted, ...HEALTHY].map(condition => ({ ...condition, lastTransitionTime }))
  return { ...clusterFacts(name), conditions: all }
}

export function klusterletAddonConfig(name: string): OpenObject {
  const enabled = { enabled: true }
  return {
    apiVersion: 'agent.open-cluster-management.io/v1',
    kind: 'KlusterletAddonConfig',
    metadata: { name, namespace: name },
    spec: {
      clusterName: name,
      clusterNamespace: name,
      clusterLabels: { cloud: 'BareMetal', vendor: 'OpenShift' },
      searchCollector: enabled,
      policyController: enabled,
      applicationManager: enabled,
      certPolicyController: enabled,
    },
  }
}

export const ADD_ONS = ['work-manager', 'managed-serviceaccount'] as const

export const addOn = (cluster: string, name: string): ManagedClusterAddOn => ({
  apiVersion: 'addon.open-cluster-management.io/v1alpha1',
  kind: 'ManagedClusterAddOn',
  metadata: { name, namespace: cluster },
  spec: {},
})

export const observabilityAddon = (cluster: string): OpenObject => ({
  apiVersion: 'observability.open-cluster-management.io/v1beta1',
  kind: 'ObservabilityAddon',
  metadata: { name: 'observability-addon', namespace: cluster, finalizers: [finalizers.observability] },
  spec: { enableMetrics: true, interval: 300 },
})

/** Marks a ManagedCluster of the global hub as a hub. */
export const hubAnnotations = { [annotations.onMulticlusterHub]: 'true' } as const
