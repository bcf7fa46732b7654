import { noLog } from './durable-log.ts'
import { StoreEngine, type StoreOptions } from './engine.ts'
import type { StoreImage } from './store-image.ts'
import type { Store } from './types.ts'

/** A store that lives and dies with the process. Answers come in microtasks: no timer, no I/O. */
export function memoryStore(options: StoreOptions, image?: StoreImage): Store {
  return new StoreEngine(noLog(image), options)
}
