import { type Informer, isOlder, type KubeObject, type Ref } from '@godwit/kube'

const keyOf = ({ namespace = '', name }: Ref) => `${namespace}/${name}`

/**
 * The newest state of each object that this process has seen, its own writes included: an informer lags behind them,
 * and deciding on an older record would repeat work. Versions are compared within one server only.
 */
export class Newest<T extends KubeObject> {
  readonly #informer: Informer<T>
  readonly #written = new Map<string, T>()

  constructor(informer: Informer<T>) {
    this.#informer = informer
  }

  get(ref: Ref): T | undefined {
    const seen = this.#informer.get(ref)
    const written = this.#written.get(keyOf(ref))
    if (!written) return seen
    const isSame = seen?.metadata.uid === written.metadata.uid
    if (seen && isSame && isOlder(seen.metadata.resourceVersion, written.metadata.resourceVersion)) return written
    this.#written.delete(keyOf(ref))
    return seen
  }

  list(namespace?: string): T[] {
    return this.#informer.list(namespace).flatMap(({ metadata }) => this.get(metadata) ?? [])
  }

  /** Remembers the answer to a write until the informer has caught up with it. */
  wrote(object: T): T {
    this.#written.set(keyOf(object.metadata), object)
    return object
  }
}
