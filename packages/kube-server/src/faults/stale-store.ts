import { type ListOptions, type ObjectKey, type Page, type Store, type Stored, VersionExpired } from '../store/index.ts'

/** The store as it was `versions` versions ago, for reads; as far back as its history reaches. */
export function staleStore(store: Store, versions: number): Store {
  const list = (collection: string, options: ListOptions): Page => {
    if (options.continue !== undefined || options.exactVersion !== undefined) return store.list(collection, options)
    try {
      return store.list(collection, { ...options, exactVersion: Math.max(1, store.version - versions) })
    } catch (error) {
      if (error instanceof VersionExpired) return store.list(collection, options)
      throw error
    }
  }
  return {
    get version() {
      return store.version
    },
    get: ({ collection, namespace, name }: ObjectKey): Stored | undefined =>
      list(collection, { namespace, matches: ({ key }) => key.name === name }).items[0],
    list,
    head: key => store.head(key),
    mutate: (key, decide) => store.mutate(key, decide),
    scan: (collection, namespace) => store.scan(collection, namespace),
    collections: () => store.collections(),
    watch: (collection, after, onEvent) => store.watch(collection, after, onEvent),
    reached: (version, signal) => store.reached(version, signal),
    close: () => store.close(),
  }
}
