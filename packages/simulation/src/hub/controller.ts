import type { Informer, KubeObject } from '@godwit/kube'
import { KeyedQueue } from '../queue/keyed-queue.ts'
import type { Ports } from './context.ts'

/** A foreign controller: level-based, so it may be stopped and started at any moment. */
export interface Controller {
  /** How many keys wait or are worked on now. */
  readonly load: number
  /** Call when the caches are filled. */
  start(): void
  stop(): Promise<void>
  /** Look at this key again. */
  poke(key: string): void
}

/** Subscribes to a cache; returns how to unsubscribe. */
export type Watch = (poke: (key: string) => void) => () => void

/** Pokes the keys that `keysOf` derives from each change. */
export function onChangesOf<T extends KubeObject>(
  informer: Informer<T>,
  keysOf: (
    object: T,
    change: { readonly type: 'added' | 'updated' | 'deleted'; readonly previous?: T },
  ) => readonly string[],
): Watch {
  return poke =>
    informer.onChange(change => {
      for (const key of keysOf(change.object, change)) poke(key)
    })
}

export interface ControllerOptions {
  readonly name: string
  readonly ports: Ports
  readonly watches: readonly Watch[]
  readonly workers?: number
  /** Brings one key to where it should be; resolves with a delay in milliseconds to look again, or nothing. */
  readonly reconcile: (key: string) => Promise<number | undefined>
}

export function makeController({ name, ports, watches, workers, reconcile }: ControllerOptions): Controller {
  const queue = new KeyedQueue({ name, ...ports, ...(workers && { workers }), work: reconcile })
  const poke = (key: string) => queue.add(key)
  const unsubscribe = watches.map(watch => watch(poke))
  return {
    get load() {
      return queue.load
    },
    poke,
    start: () => queue.start(),
    stop: () => {
      for (const each of unsubscribe) each()
      return queue.stop()
    },
  }
}

export const nameOf = (object: KubeObject) => [object.metadata.name]
/** Objects in a cluster's namespace belong to the cluster of that name. */
export const clusterOf = (object: KubeObject) => (object.metadata.namespace ? [object.metadata.namespace] : [])
