import { noLog } from './durable-log.ts'
import { StoreEngine, type StoreOptions } from './engine.ts'
import type { Store } from './types.ts'

/** A store that lives and dies with the process. Answers come in microtasks: no timer, no I/O. */
export function memoryStore(options: StoreOptions): Store {
  return new StoreEngine(noLog(), options)
}
