/**
 * The managed-serviceaccount agent of one hub: a ManagedServiceAccount in the hub's namespace on the global hub becomes
 * a ServiceAccount here and a token Secret there; without it the ServiceAccount goes, and the token is worth nothing.
 */
import { Informer, type KubeObject, resources } from '@godwit/kube'
import { rfc3339 } from '@godwit/ports'
import { mergeConditions } from '../foreign/conditions.ts'
import { parseDuration } from '../foreign/duration.ts'
import { ADDON_NAMESPACE, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedClusterAddOn, ManagedServiceAccount, Secret } from '../foreign/types.ts'
import type { HubAccess, Ports } from './context.ts'
import { type Controller, makeController, nameOf, onChangesOf } from './controller.ts'
import { createIfAbsent } from './ensure.ts'
import { requestToken } from './service-account-token.ts'

const DEFAULT_VALIDITY_MS = 8640 * 3_600_000
/** Shorter tokens are refused by the API server. */
const MIN_TOKEN_SECONDS = 600
/** A token is replaced when this part of its life is left. */
const REFRESH_PART = 0.2
const ADDON = 'managed-serviceaccount'

export interface TokenAgent {
  /** How many accounts wait or are worked on now. */
  readonly load: number
  start(): Promise<void>
  stop(): Promise<void>
}

interface Agent {
  readonly hub: HubAccess
  readonly globalHub: HubAccess
  readonly ports: Ports
  readonly accounts: Informer<ManagedServiceAccount>
}

export function tokenAgent(hub: HubAccess, globalHub: HubAccess, ports: Ports): TokenAgent {
  const labelSelector = `${labels.isManagedServiceAccount}=true`
  const onGlobal = { client: globalHub.client, namespace: hub.name, ...ports }
  const accounts = new Informer<ManagedServiceAccount>({ ...onGlobal, resource: foreign.managedServiceAccounts })
  const secrets = new Informer<Secret>({ ...onGlobal, resource: resources.secrets, labelSelector })
  const local = new Informer<KubeObject>({
    client: hub.client,
    resource: resources.serviceAccounts,
    labelSelector,
    ...ports,
  })
  const agent: Agent = { hub, globalHub, ports, accounts }
  const controller: Controller = makeController({
    name: `token-agent-${hub.name}`,
    ports,
    watches: [
      onChangesOf(accounts, nameOf),
      onChangesOf(secrets, (secret, { type }) => (type === 'deleted' ? nameOf(secret) : [])),
      onChangesOf(local, nameOf),
    ],
    reconcile: name => reconcile(agent, name),
  })
  const informers = [accounts, secrets, local]
  return {
    get load() {
      return controller.load
    },
    async start() {
      for (const informer of informers) informer.start()
      await Promise.all(informers.map(informer => informer.synced()))
      controller.start()
    },
    async stop() {
      await controller.stop()
      await Promise.all(informers.map(informer => informer.stop()))
    },
  }
}

async function installNamespace({ globalHub, hub }: Agent): Promise<string> {
  const ref = { name: ADDON, namespace: hub.name }
  const addOn = await globalHub.client.get<ManagedClusterAddOn>(foreign.managedClusterAddOns, ref)
  return addOn?.status?.namespace || ADDON_NAMESPACE
}

async function reconcile(agent: Agent, name: string): Promise<number | undefined> {
  const { hub, globalHub, ports, accounts } = agent
  const account = accounts.get({ name, namespace: hub.name })
  const local = { name, namespace: await installNamespace(agent) }
  if (!account || account.metadata.deletionTimestamp) {
    await deleteServiceAccount(hub, local)
    return undefined
  }
  await createIfAbsent(hub.client, resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: local.namespace },
  })
  const isNew = await createIfAbsent(hub.client, resources.serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { ...local, labels: { [labels.isManagedServiceAccount]: 'true' } },
  })
  const validityMs = parseDuration(account.spec.rotation?.validity ?? '') ?? DEFAULT_VALIDITY_MS
  const expiresAtMs = Date.parse(account.status?.expirationTimestamp ?? '')
  const refreshInMs = expiresAtMs - validityMs * REFRESH_PART - ports.clock.now()
  const secret = await globalHub.client.get<Secret>(resources.secrets, { name, namespace: hub.name })
  if (!isNew && secret && refreshInMs > 0) return refreshInMs
  await issue(agent, account, { local, secret, validityMs })
  return validityMs * (1 - REFRESH_PART)
}

async function deleteServiceAccount({ client }: HubAccess, ref: { name: string; namespace: string }): Promise<void> {
  const found = await client.get(resources.serviceAccounts, ref)
  if (found?.metadata.labels?.[labels.isManagedServiceAccount] !== 'true') return
  await client.delete(resources.serviceAccounts, ref)
}

interface Issue {
  readonly local: { readonly name: string; readonly namespace: string }
  readonly secret: Secret | undefined
  readonly validityMs: number
}

async function issue({ hub, globalHub, ports }: Agent, account: ManagedServiceAccount, wanted: Issue): Promise<void> {
  const { local, secret, validityMs } = wanted
  const { name, uid = '' } = account.metadata
  const seconds = Math.max(MIN_TOKEN_SECONDS, Math.round(validityMs / 1000))
  const { token, expirationTimestamp } = await requestToken(hub.client, local, seconds)
  const data = { token: Buffer.from(token).toString('base64'), 'ca.crt': hub.caData }
  if (secret) await globalHub.client.patch(resources.secrets, { name, namespace: hub.name }, { data })
  else {
    await globalHub.client.create<Secret>(resources.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace: hub.name,
        labels: { [labels.isManagedServiceAccount]: 'true' },
        ownerReferences: [
          { apiVersion: 'authentication.open-cluster-management.io/v1beta1', kind: 'ManagedServiceAccount', name, uid },
        ],
      },
      type: 'Opaque',
      data,
    })
  }
  const nowMs = ports.clock.now()
  const wantedConditions = ['SecretCreated', 'TokenReported'].map(type => ({
    type,
    status: 'True' as const,
    reason: type,
    message: '',
  }))
  const present = account.status?.conditions ?? []
  const conditions = mergeConditions(present, wantedConditions, nowMs) ?? present
  const status = {
    conditions,
    expirationTimestamp,
    tokenSecretRef: { name, lastRefreshTimestamp: rfc3339(nowMs) },
  }
  await globalHub.client.patch(
    foreign.managedServiceAccounts,
    { name, namespace: hub.name },
    { status },
    { subresource: 'status' },
  )
}
