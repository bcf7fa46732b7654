import { type Informer, isOlder, type KubeObject, type Ref } from '@godwit/kube'

/** Nobody reads the time of a deletion: that there is one is the fact. */
const ASKED = '1970-01-01T00:00:00Z'

const keyOf = ({ namespace = '', name }: Ref) => `${namespace}/${name}`

/**
 * The newest state of each object that this process has seen, its own writes included: an informer lags behind them,
 * and deciding on an older record would repeat work. Versions are compared within one server only.
 */
export class Newest<T extends KubeObject> {
  readonly #informer: Informer<T>
  readonly #written = new Map<string, T>()
  /** By key, the uid of an object whose deletion this process has asked for. */
  readonly #deleting = new Map<string, string>()

  constructor(informer: Informer<T>) {
    this.#informer = informer
  }

  get(ref: Ref): T | undefined {
    const newest = this.#newest(ref)
    const uid = this.#deleting.get(keyOf(ref))
    if (uid === undefined) return newest
    if (newest?.metadata.uid === uid && newest.metadata.deletionTimestamp === undefined)
      return { ...newest, metadata: { ...newest.metadata, deletionTimestamp: ASKED } }
    this.#deleting.delete(keyOf(ref))
    return newest
  }

  #newest(ref: Ref): T | undefined {
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

  /** The server has taken the deletion of exactly this object: it counts as on its way out until the informer shows it. */
  deleting(ref: Ref, uid: string): void {
    this.#deleting.set(keyOf(ref), uid)
  }

  /** Remembers the answer to a write until the informer has caught up with it. */
  wrote(object: T): T {
    this.#written.set(keyOf(object.metadata), object)
    return object
  }
}
