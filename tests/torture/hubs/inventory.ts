/** What is on a hub, in words that do not change with time, versions or uids: for comparing one end state with another. */
import { type KubeObject, type Resource, resources } from '@godwit/kube'
import { foreign } from '@godwit/simulation'
import type { HubsWorld } from './world.ts'
import type { ServerName } from './world-image.ts'

/** Content by `Kind namespace/name`. */
export type Inventory = Readonly<Record<string, string>>

type Content = KubeObject & { readonly spec?: unknown; readonly data?: unknown }

const KINDS: readonly Resource[] = [
  ...Object.values(foreign),
  resources.namespaces,
  resources.secrets,
  resources.configMaps,
  resources.serviceAccounts,
  resources.clusterRoles,
  resources.clusterRoleBindings,
]

/** Their content is made anew whenever a hub imports or works; that they exist is what counts. */
const BY_NAME_ONLY: readonly string[] = ['Secret', 'ManifestWork', 'CertificateSigningRequest']

/** Made by import controllers, which never take it back; and the certificate of the server itself. */
const NOT_COMPARED = /^system:open-cluster-management:managedcluster:bootstrap:|^kube-root-ca\.crt$/

/** What the taint controller leaves behind. */
const EMPTY_TAINTS = /,"taints":\[\]/g

export function takeInventory(world: HubsWorld, hub: ServerName, migrationUid: string): Inventory {
  const inventory: Record<string, string> = {}
  for (const resource of KINDS) {
    for (const { metadata, spec, data } of world.objects<Content>(hub, resource)) {
      if (NOT_COMPARED.test(metadata.name)) continue
      const key = `${resource.kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`
      const { labels = {}, annotations = {}, finalizers = [] } = metadata
      const content = BY_NAME_ONLY.includes(resource.kind)
        ? ''
        : sorted({ labels, annotations, finalizers: [...finalizers].sort(), spec, data }).replaceAll(EMPTY_TAINTS, '')
      inventory[lasting(key, migrationUid)] = lasting(content, migrationUid)
    }
  }
  return inventory
}

const lasting = (text: string, migrationUid: string) =>
  (migrationUid ? text.replaceAll(migrationUid, 'UID').replaceAll(migrationUid.slice(0, 8), 'UID8') : text).replaceAll(
    /\d{4}-\d\d-\d\dT[\d:.]+Z/g,
    'TIME',
  )

/** JSON with sorted keys. */
export const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )

/** What is different, one line each. */
export function differences(expected: Inventory, actual: Inventory): string[] {
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort()
  return keys.flatMap(key => {
    const [before, after] = [expected[key], actual[key]]
    if (before === after) return []
    if (before === undefined) return [`${key} is there and should not be: ${after}`]
    if (after === undefined) return [`${key} is missing`]
    return [`${key} ${whereDifferent(after, before)}`]
  })
}

const CONTEXT = 60
const EXCERPT = 160

/** Both texts from a little before the place where they part. */
function whereDifferent(after: string, before: string): string {
  let at = 0
  while (at < after.length && after[at] === before[at]) at += 1
  const excerpt = (text: string) => text.slice(Math.max(0, at - CONTEXT), at + EXCERPT)
  return `is …${excerpt(after)}… instead of …${excerpt(before)}…`
}

/** The part of an inventory that speaks of one cluster. */
export const ofCluster = (inventory: Inventory, cluster: string): Inventory =>
  Object.fromEntries(Object.entries(inventory).filter(([key]) => key.includes(cluster)))
