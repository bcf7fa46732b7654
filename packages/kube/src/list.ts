import type { Call, Caller, CallOptions } from './caller.ts'
import { isExpired } from './errors.ts'
import { isRecord, type Json } from './json.ts'
import type { KubeObject } from './object.ts'
import { apiVersionOf, type Resource } from './resource.ts'
import { unexpected } from './status.ts'

export interface ListOptions<T extends KubeObject = KubeObject> extends CallOptions {
  /** Default: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Objects a request. Default 500. */
  readonly pageSize?: number
  /** Refuse an answer older than this version. */
  readonly notOlderThan?: string
  /** Applied to each object as its page arrives, so that what is dropped never piles up. */
  readonly transform?: (object: T) => T
}

export interface ObjectList<T extends KubeObject> {
  readonly items: T[]
  /** Of the first page: a watch from here misses nothing, even when later pages are newer. */
  readonly resourceVersion: string
}

export const DEFAULT_PAGE_SIZE = 500

/** The whole collection that `call` names, page by page. Items get apiVersion and kind, which built-ins leave out. */
export async function listAll<T extends KubeObject>(
  caller: Caller,
  resource: Resource,
  call: Call,
  options: ListOptions<T>,
): Promise<ObjectList<T>> {
  const { pageSize = DEFAULT_PAGE_SIZE } = options
  try {
    return await listPages(caller, resource, call, options, pageSize)
  } catch (error) {
    // The snapshot behind the continue token went away; one request without pages cannot lose its snapshot.
    if (!isExpired(error)) throw error
    return await listPages(caller, resource, call, options, undefined)
  }
}

/** The version of a collection, from a list of at most one object. */
export async function currentVersion(caller: Caller, call: Call): Promise<string> {
  return pageOf(call, await caller.json({ ...call, query: { ...call.query, limit: '1' } })).resourceVersion
}

async function listPages<T extends KubeObject>(
  caller: Caller,
  resource: Resource,
  call: Call,
  { transform, notOlderThan }: ListOptions<T>,
  pageSize: number | undefined,
): Promise<ObjectList<T>> {
  const atLeast = { resourceVersion: notOlderThan, resourceVersionMatch: notOlderThan && 'NotOlderThan' }
  const items: T[] = []
  let resourceVersion: string | undefined
  let token: string | undefined
  for (;;) {
    // A token already names its version: the server refuses both together.
    const from = token === undefined ? atLeast : { continue: token }
    const query = { ...call.query, ...from, limit: pageSize?.toString() }
    const page = pageOf(call, await caller.json({ ...call, query }))
    resourceVersion ??= page.resourceVersion
    for (const item of page.items) {
      const object = complete<T>(call, resource, item)
      items.push(transform ? transform(object) : object)
    }
    if (!page.continue) return { items, resourceVersion }
    if (page.continue === token) throw unexpected(call, 200, 'the list continues with the page before')
    token = page.continue
  }
}

function pageOf(call: Call, answer: Json) {
  const metadata = isRecord(answer) ? answer['metadata'] : undefined
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined
  // An empty collection is null where Go wrote it.
  const items = isRecord(answer) ? (answer['items'] ?? []) : undefined
  if (!isRecord(metadata) || typeof version !== 'string' || !Array.isArray(items))
    throw unexpected(call, 200, 'the answer is not a list')
  const token = metadata['continue']
  return { items, resourceVersion: version, continue: typeof token === 'string' ? token : undefined }
}

function complete<T extends KubeObject>(call: Call, resource: Resource, item: Json): T {
  const metadata = isRecord(item) ? item['metadata'] : undefined
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string')
    throw unexpected(call, 200, 'an item of the list is not an object')
  return Object.assign({ apiVersion: apiVersionOf(resource), kind: resource.kind }, item as unknown as T)
}
