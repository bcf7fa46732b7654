import { isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import { type Clock, sleep } from '@godwit/ports'
import { type CrdManifest, crdManifest } from './crd-manifests.ts'
import type { ForeignKind } from './resources.ts'

/** What a hub of managed clusters serves. */
export const HUB_KINDS = [
  'managedClusters',
  'placements',
  'placementDecisions',
  'managedClusterSets',
  'manifestWorks',
  'klusterletConfigs',
  'klusterletAddonConfigs',
  'managedClusterAddOns',
  'multiClusterHubs',
  'clusterManagers',
  'clusterDeployments',
  'bareMetalHosts',
  'hostFirmwareSettings',
  'firmwareSchemas',
  'hostFirmwareComponents',
  'dataImages',
  'imageClusterInstalls',
  'observabilityAddons',
] as const satisfies readonly ForeignKind[]

/** What the hub of hubs serves. */
export const GLOBAL_HUB_KINDS = [
  'managedClusters',
  'placements',
  'placementDecisions',
  'managedClusterSets',
  'manifestWorks',
  'managedClusterAddOns',
  'managedServiceAccounts',
] as const satisfies readonly ForeignKind[]

const POLL_MS = 20
/** An API server serves a new definition within moments; longer means that it refused it. */
const ESTABLISH_TIMEOUT_MS = 30_000

/**
 * Creates the definitions that are missing and waits until the server serves them. Existing ones are left alone.
 * Throws when a definition is not established in 30 s.
 */
export async function installCrds(client: KubeClient, which: readonly ForeignKind[], clock: Clock): Promise<void> {
  const manifests = which.map(crdManifest)
  for (const manifest of manifests) await createUnlessPresent(client, manifest)
  for (const manifest of manifests) await untilEstablished(client, manifest.metadata.name, clock)
}

async function createUnlessPresent(client: KubeClient, manifest: CrdManifest): Promise<void> {
  try {
    await client.create(resources.customResourceDefinitions, manifest)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

async function untilEstablished(client: KubeClient, name: string, clock: Clock): Promise<void> {
  for (const deadline = clock.now() + ESTABLISH_TIMEOUT_MS; clock.now() < deadline; await sleep(clock, POLL_MS)) {
    const found = await client.get<CrdManifest>(resources.customResourceDefinitions, { name })
    if (found?.status?.conditions?.some(each => each.type === 'Established' && each.status === 'True')) return
  }
  throw new Error(`CustomResourceDefinition ${name} was not established in ${ESTABLISH_TIMEOUT_MS} ms`)
}
