import type { KubeObject, ObjectMeta } from '@godwit/kube'
import {
  annotations,
  BOOTSTRAP_NAMESPACE,
  bootstrapSecretName,
  klusterletConfigName,
  type MultiClusterHub,
  type Secret,
} from '../api/index.ts'
import type { Presence } from './shared-table.ts'

export interface KlusterletConfig extends KubeObject {
  readonly spec?: { readonly multipleHubsConfig?: unknown; readonly bootstrapKubeConfigs?: unknown }
}

const meta = (name: string, migrationUid: string): ObjectMeta => ({
  name,
  annotations: { [annotations.migration]: migrationUid },
})

/** KlusterletConfig that lets a klusterlet choose between its current hub and `to`; ACM 2.13 has an older shape. */
export function renderKlusterletConfig(to: string, migrationUid: string, hub: MultiClusterHub): KlusterletConfig {
  const bootstrapKubeConfigs = {
    type: 'LocalSecrets',
    localSecretsConfig: { kubeConfigSecrets: [{ name: bootstrapSecretName(to) }] },
  }
  const isOldShape = hub.status?.currentVersion?.includes('2.13') ?? false
  return {
    apiVersion: 'config.open-cluster-management.io/v1alpha1',
    kind: 'KlusterletConfig',
    metadata: meta(klusterletConfigName(to), migrationUid),
    spec: isOldShape
      ? { bootstrapKubeConfigs }
      : { multipleHubsConfig: { genBootstrapKubeConfigStrategy: 'IncludeCurrentHub', bootstrapKubeConfigs } },
  }
}

/** The Secret that the import controller puts into klusterlet works. `kubeconfig` is base64. */
export const renderBootstrapSecret = (to: string, migrationUid: string, kubeconfig: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { ...meta(bootstrapSecretName(to), migrationUid), namespace: BOOTSTRAP_NAMESPACE },
  type: 'Opaque',
  data: { kubeconfig },
})

/**
 * Whose object it is. One with another migration's mark is what a vanished migration left: it is taken over. One
 * without any mark is somebody else's and stays untouched.
 */
export function presenceOf(
  live: { readonly metadata: ObjectMeta } | undefined,
  migrationUid: string,
  isCurrent: boolean,
): Presence {
  if (!live) return 'absent'
  const owner = live.metadata.annotations?.[annotations.migration]
  if (owner === undefined) return 'foreign'
  return owner === migrationUid && isCurrent ? 'ours' : 'outdated'
}
