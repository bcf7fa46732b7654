/** What tests of migrations ask of the world and of the record. */
import { isTerminal, type ManagedClusterMigration, ocm } from '@godwit/hubs'
import { type KubeObject, resources } from '@godwit/kube'
import { NAMESPACE, Testbed, type TestbedOptions } from './testbed.ts'

export const over = (migration: ManagedClusterMigration) => isTerminal(migration.status?.phase)
export const conditionOf = (migration: ManagedClusterMigration, type: string) =>
  migration.status?.conditions?.find(c => c.type === type)

export async function withTestbed(options: TestbedOptions, body: (bed: Testbed) => Promise<void>): Promise<void> {
  const bed = await Testbed.start(options)
  try {
    await body(bed)
  } finally {
    await bed.stop()
  }
}

export interface Result {
  readonly success: string[]
  readonly failure: string[]
  readonly reasons: Record<string, string>
}

export async function resultOf(bed: Testbed, name: string): Promise<Result> {
  const map = await bed.clients.globalHub.get<KubeObject & { data?: Record<string, string> }>(resources.configMaps, {
    name,
    namespace: NAMESPACE,
  })
  const read = (key: string, otherwise: string) => JSON.parse(map?.data?.[key] ?? otherwise)
  return { success: read('success', '[]'), failure: read('failure', '[]'), reasons: read('failure-reasons', '{}') }
}

/** Everything on a hub that a refused or rolled back migration must leave as it was. */
export async function stateOf(bed: Testbed, hub: 'hub1' | 'hub2'): Promise<Record<string, string>> {
  const client = bed.clients[hub]
  const state: Record<string, string> = {}
  for (const resource of [
    ocm.managedClusters,
    ocm.klusterletConfigs,
    ocm.clusterManagers,
    ocm.klusterletAddonConfigs,
    resources.secrets,
    resources.clusterRoleBindings,
  ]) {
    const { items } = await client.list<KubeObject & { spec?: unknown }>(resource)
    for (const { kind, metadata, spec } of items)
      state[`${kind} ${metadata.namespace ?? ''}/${metadata.name}`] = JSON.stringify([
        metadata.annotations ?? {},
        metadata.labels ?? {},
        spec ?? null,
      ])
  }
  return state
}

export const withoutImportSecrets = (state: Record<string, string>) =>
  Object.fromEntries(Object.entries(state).filter(([key]) => !key.endsWith('-import')))
