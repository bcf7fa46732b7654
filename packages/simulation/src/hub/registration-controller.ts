/** Accepts and refuses managed clusters: namespace, RBAC, HubAccepted condition. */
import { resources } from '@godwit/kube'
import { rfc3339 } from '@godwit/ports'
import { findCondition, isTrue, writeConditions } from '../foreign/conditions.ts'
import {
  annotations,
  conditions,
  finalizers,
  labels,
  registrationBindingName,
  workBindingName,
} from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedCluster } from '../foreign/types.ts'
import {
  deleteBindings,
  ensureBindings,
  ensureClusterRole,
  ensureClusterRoleBinding,
  hasClusterRole,
  removeBindings,
} from './cluster-rbac.ts'
import type { HubKnobs, Ports } from './context.ts'
import { type Controller, makeController, nameOf, onChangesOf } from './controller.ts'
import { addFinalizers, createIfAbsent } from './ensure.ts'
import type { HubView } from './hub-view.ts'
import type { RegistrationFlags } from './registration-flags.ts'

const AGAIN_MS = 20

export interface RegistrationOptions {
  readonly view: HubView
  readonly ports: Ports
  readonly knobs: HubKnobs
  readonly flags: RegistrationFlags
}

export function registrationController(options: RegistrationOptions): Controller {
  const { view, ports, flags } = options
  return makeController({
    name: 'registration',
    ports,
    workers: 16,
    watches: [
      onChangesOf(view.managedClusters, nameOf),
      onChangesOf(view.roleBindings, (object, { type }) =>
        type === 'deleted' && object.metadata.namespace ? [object.metadata.namespace] : [],
      ),
      // A role that the cache showed too late is corrected when it shows.
      onChangesOf(view.clusterRoles, role => {
        const name = role.metadata.labels?.[labels.clusterName]
        return name === undefined ? [] : [name]
      }),
      poke =>
        flags.onRollout(() => {
          for (const cluster of view.managedClusters.list())
            if (!cluster.spec.hubAcceptsClient) poke(cluster.metadata.name)
        }),
    ],
    reconcile: name => reconcile(options, name),
  })
}

async function reconcile(options: RegistrationOptions, name: string): Promise<number | undefined> {
  const { view, flags } = options
  const { client } = view.access
  const cluster = view.managedClusters.get({ name })
  if (!cluster || cluster.metadata.deletionTimestamp) return undefined
  const wanted = [finalizers.apiResourceCleanup, finalizers.resourceCleanup]
  if (await addFinalizers(client, foreign.managedClusters, cluster, wanted)) return undefined
  if (flags.current.isAutoApproving && !cluster.metadata.annotations?.[annotations.automaticallyAcceptedOn]) {
    await acceptAutomatically(options, cluster)
    return undefined
  }
  return cluster.spec.hubAcceptsClient ? accept(options, cluster) : refuse(options, cluster)
}

async function acceptAutomatically({ view, ports }: RegistrationOptions, cluster: ManagedCluster): Promise<void> {
  const { name, resourceVersion } = cluster.metadata
  const accepted = { [annotations.automaticallyAcceptedOn]: rfc3339(ports.clock.now()) }
  await view.access.client.patch(
    foreign.managedClusters,
    { name },
    { metadata: { annotations: accepted }, spec: { hubAcceptsClient: true } },
    resourceVersion ? { precondition: { resourceVersion } } : {},
  )
}

async function accept(options: RegistrationOptions, cluster: ManagedCluster): Promise<number | undefined> {
  const { view, ports } = options
  const { client } = view.access
  const { name } = cluster.metadata
  if (isTrue(cluster, conditions.hubAccepted) && hasBindings(view, name) && hasClusterRole(view, name, true))
    return undefined
  await ensureNamespace(options, name)
  await ensureClusterRole(view, name, true)
  await ensureClusterRoleBinding(view, name)
  if (!(await ensureBindings(view, name))) return AGAIN_MS
  await writeConditions({
    client,
    resource: foreign.managedClusters,
    object: cluster,
    nowMs: ports.clock.now(),
    wanted: [
      {
        type: conditions.hubAccepted,
        status: 'True',
        reason: 'HubClusterAdminAccepted',
        message: 'Accepted by hub cluster admin',
      },
    ],
  })
  return undefined
}

function hasBindings(view: HubView, cluster: string): boolean {
  return [registrationBindingName(cluster), workBindingName(cluster)].every(name => {
    const binding = view.roleBindings.get({ name, namespace: cluster })
    return binding && !binding.metadata.deletionTimestamp
  })
}

/** A namespace made by somebody else gets the label that ties it to the cluster. */
async function ensureNamespace({ view }: RegistrationOptions, name: string): Promise<void> {
  const { client } = view.access
  const metadata = { name, labels: { [labels.clusterName]: name } }
  if (view.namespaces.get({ name })) return
  if (await createIfAbsent(client, resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata })) return
  await client.patch(resources.namespaces, { name }, { metadata: { labels: metadata.labels } })
}

/** Refusal takes the permissions away, those for works only when no work is left. */
async function refuse(
  { view, ports, knobs }: RegistrationOptions,
  cluster: ManagedCluster,
): Promise<number | undefined> {
  const { client } = view.access
  const { name } = cluster.metadata
  const known = findCondition(cluster, conditions.hubAccepted)
  if (!known) return undefined
  await ensureClusterRole(view, name, false)
  if (known.status !== 'True') return undefined
  await deleteBindings(view, name)
  if (view.manifestWorks.list(name).length > 0) return knobs.denialRecheckMs
  await removeBindings(view, name)
  await writeConditions({
    client,
    resource: foreign.managedClusters,
    object: cluster,
    nowMs: ports.clock.now(),
    wanted: [
      {
        type: conditions.hubAccepted,
        status: 'False',
        reason: 'HubClusterAdminDenied',
        message: 'Denied by hub cluster admin',
      },
    ],
  })
  return undefined
}
