/** Prepares the hub of hubs: each hub is a managed cluster there, with a namespace and the token add-on. */
import { type KubeClient, type KubeObject, resources } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { GLOBAL_HUB_KINDS, installCrds } from '../foreign/install-crds.ts'
import { ADDON_NAMESPACE, GLOBAL_HUB_NAMESPACE } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedCluster } from '../foreign/types.ts'
import type { HubAccess } from '../hub/context.ts'
import { createIfAbsent } from '../hub/ensure.ts'
import { addOn, healthyStatus, hubAnnotations } from './managed-cluster.ts'

export interface GlobalHubPopulation {
  readonly client: KubeClient
  readonly clock: Clock
  readonly hubs: readonly Pick<HubAccess, 'name' | 'server' | 'caData'>[]
}

/** Creates what is missing; existing objects are left alone. */
export async function populateGlobalHub({ client, clock, hubs }: GlobalHubPopulation): Promise<void> {
  await installCrds(client, GLOBAL_HUB_KINDS, clock)
  await createIfAbsent(client, resources.namespaces, namespaceObject(GLOBAL_HUB_NAMESPACE))
  for (const hub of hubs) await addHub(client, clock, hub)
}

const namespaceObject = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

async function addHub(
  client: KubeClient,
  clock: Clock,
  { name, server, caData }: GlobalHubPopulation['hubs'][number],
): Promise<void> {
  const cluster: ManagedCluster = {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: { name, labels: { name, vendor: 'OpenShift' }, annotations: { ...hubAnnotations } },
    spec: {
      hubAcceptsClient: true,
      leaseDurationSeconds: 60,
      managedClusterClientConfigs: [{ url: server, ...(caData && { caBundle: caData }) }],
    },
  }
  if (await createIfAbsent(client, foreign.managedClusters, cluster)) {
    const status = healthyStatus(name, clock.now())
    await client.patch(foreign.managedClusters, { name }, { status }, { subresource: 'status' })
  }
  await createIfAbsent(client, resources.namespaces, namespaceObject(name))
  const addon = addOn(name, 'managed-serviceaccount')
  if (!(await createIfAbsent(client, foreign.managedClusterAddOns, addon))) return
  await client.patch(
    foreign.managedClusterAddOns,
    { name: addon.metadata.name, namespace: name },
    { status: { namespace: ADDON_NAMESPACE } },
    { subresource: 'status' },
  )
}
