/**
 * What people read about a migration that may be too large for one object: ConfigMaps beside it, each at most 800 KiB,
 * a member for each cluster. They belong to the migration and go with it. Nothing is ever decided from them.
 */
import { Retryable } from '@godwit/core'
import { isEqualJson } from '@godwit/engine'
import { isAlreadyExists, isConflict, type KubeClient, resources } from '@godwit/kube'
import type { ConfigMap, ManagedClusterMigration } from '../api/index.ts'

export const PAGE_KINDS = ['plan', 'report', 'runbook'] as const
export type PageKind = (typeof PAGE_KINDS)[number]

/** Member of the first page that is about the migration as a whole: no cluster can be called so. */
export const WHOLE = '_migration'
/** Of the data of one page; an API server takes 1 MiB with everything around it. */
export const MAX_PAGE_BYTES = 800 * 1024
const KIND_LABEL = 'page.godwit.dev/kind'
const MAX_NAME = 230

export interface Entry {
  readonly key: string
  readonly text: string
}

export const pageName = (migration: string, kind: PageKind, page: number) =>
  `${migration.slice(0, MAX_NAME)}-${kind}-${String(page).padStart(3, '0')}`

/** Cuts the entries into pages, in their order; an entry that is too long for a page by itself is cut off. */
export function paginate(migration: ManagedClusterMigration, kind: PageKind, entries: readonly Entry[]): ConfigMap[] {
  const pages: Record<string, string>[] = []
  let left = 0
  for (const entry of entries) {
    const text = bounded(entry.text)
    const bytes = Buffer.byteLength(entry.key) + Buffer.byteLength(text)
    if (pages.length === 0 || bytes > left) {
      pages.push({})
      left = MAX_PAGE_BYTES
    }
    const page = pages.at(-1)
    if (page) page[entry.key] = text
    left -= bytes
  }
  return pages.map((data, page) => pageOf(migration, kind, page, data))
}

const CUT = '\n(cut off: too long)\n'

function bounded(text: string): string {
  const room = MAX_PAGE_BYTES - 1024
  if (Buffer.byteLength(text) <= room) return text
  return Buffer.from(text).subarray(0, room).toString('utf8') + CUT
}

function pageOf(
  { apiVersion, kind, metadata }: ManagedClusterMigration,
  pageKind: PageKind,
  page: number,
  data: Readonly<Record<string, string>>,
): ConfigMap {
  const { name, namespace = '', uid = '' } = metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: pageName(name, pageKind, page),
      namespace,
      labels: { [KIND_LABEL]: pageKind },
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    data,
  }
}

/** Writes what differs. A ConfigMap of that name that does not belong to the migration is left alone: an error. */
export async function writePages(client: KubeClient, pages: readonly ConfigMap[]): Promise<void> {
  for (const page of pages) await writePage(client, page)
}

async function writePage(client: KubeClient, page: ConfigMap): Promise<void> {
  try {
    await client.create<ConfigMap>(resources.configMaps, page)
    return
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
  const { name, namespace = '' } = page.metadata
  const live = await client.get<ConfigMap>(resources.configMaps, { name, namespace })
  if (!live) throw new Retryable(`ConfigMap ${namespace}/${name} is neither there nor can it be made`)
  const owner = page.metadata.ownerReferences?.[0]?.uid
  if (!live.metadata.ownerReferences?.some(({ uid }) => uid === owner))
    throw new Error(`ConfigMap ${namespace}/${name} exists and does not belong to the migration: delete or rename it`)
  if (isEqualJson(live.data ?? {}, page.data ?? {})) return
  const { resourceVersion = '' } = live.metadata
  try {
    await client.replace<ConfigMap>(resources.configMaps, { ...page, metadata: { ...page.metadata, resourceVersion } })
  } catch (error) {
    // A deposed controller writes here too, and has no epoch to be refused by: the next look mends it.
    if (!isConflict(error)) throw error
  }
}
