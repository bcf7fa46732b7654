import type { Logger } from '@godwit/ports'
import type { StoreEvent } from './types.ts'

interface Watcher {
  /** Events up to here are not for this watcher. */
  readonly after: number
  readonly onEvent: (event: StoreEvent) => void
}

/** The watchers of one collection. A watcher that throws is logged and stays; the others do not notice. */
export class WatchHub {
  readonly #logger: Logger
  readonly #watchers = new Set<Watcher>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Replays `history`, then delivers every event above `after`. Returns how to stop. */
  add(after: number, history: Iterable<StoreEvent>, onEvent: (event: StoreEvent) => void): () => void {
    const watcher: Watcher = { after, onEvent }
    for (const event of history) this.#call(watcher, event)
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  deliver(event: StoreEvent): void {
    // One who joins from inside a callback is visited too, and has had this event as history: `after` keeps it out.
    for (const watcher of this.#watchers) if (event.version > watcher.after) this.#call(watcher, event)
  }

  clear(): void {
    this.#watchers.clear()
  }

  #call(watcher: Watcher, event: StoreEvent): void {
    try {
      watcher.onEvent(event)
    } catch (error) {
      const { collection, namespace, name } = event.stored.key
      this.#logger.error({ error, collection, namespace, name, version: event.version }, 'a watch callback threw')
    }
  }
}
