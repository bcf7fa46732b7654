import type { Recovered, RecoveredState } from './durable-log.ts'
import type { Store } from './types.ts'

/** The content of a store in one moment, without history. Any number of stores may begin with it. */
export interface StoreImage extends Recovered {
  readonly states: readonly RecoveredState[]
}

export function imageOf(store: Store): StoreImage {
  const states = [...store.collections()].flatMap(collection => [...store.scan(collection)])
  return {
    version: store.version,
    states: states.map(({ key, version, json, object }) => ({ key, version, json, object })),
  }
}
