import type { KubeObject } from '../../src/api/object.ts'
import type { ObjectKey, Store, Stored, StoreEvent } from '../../src/store/types.ts'

/** Short names for what the tests of stores do all the time. */

export function keyOf(name: string, namespace = 'default', collection = 'configmaps'): ObjectKey {
  return { collection, namespace, name }
}

export function configMap(key: ObjectKey, value: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: key.name,
      namespace: key.namespace,
      uid: `uid-of-${key.namespace}-${key.name}`,
      resourceVersion: '',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    data: { value },
  }
}

export async function put(store: Store, key: ObjectKey, value: string): Promise<Stored> {
  const stored = await store.mutate(key, () => ({ put: configMap(key, value) }))
  if (!stored) throw new Error('a put answers with the stored state')
  return stored
}

export async function remove(store: Store, key: ObjectKey): Promise<void> {
  await store.mutate(key, current => (current ? { remove: current.object } : { unchanged: undefined }))
}

export function dataOf(stored: Stored | undefined): unknown {
  const data = stored?.object['data']
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? data['value'] : undefined
}

/** `name=value@version`: everything about a state that tests compare, in one line. */
export function line(stored: Stored): string {
  return `${stored.key.namespace}/${stored.key.name}=${dataOf(stored)}@${stored.version}`
}

export function eventLine(event: StoreEvent): string {
  return `${event.type} ${line(event.stored)}`
}

/** Every item of a list, page by page; `between` runs before each further page. */
export async function listPaged(
  store: Store,
  options: { readonly limit: number; readonly namespace?: string; readonly between?: () => Promise<unknown> },
): Promise<{ readonly items: Stored[]; readonly versions: number[] }> {
  const { between, ...rest } = options
  const items: Stored[] = []
  const versions: number[] = []
  let page = store.list('configmaps', rest)
  for (;;) {
    items.push(...page.items)
    versions.push(page.version)
    if (page.next === undefined) return { items, versions }
    await between?.()
    page = store.list('configmaps', { ...rest, continue: page.next })
  }
}
