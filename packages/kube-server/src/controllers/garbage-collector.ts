/**
 * Deletes what lost its owners. Level-based: the graph of owners is built from the store and every decision reads the
 * store again, so a lost event costs time, never an object.
 */
import type { Clock, Logger } from '@godwit/ports'
import type { KubeObject, OwnerReference } from '../api/object.ts'
import type { Registry } from '../registry/registry.ts'
import type { Resource } from '../registry/resource.ts'
import type { Store, Stored, StoreEvent } from '../store/types.ts'
import type { FeedListener } from './feed.ts'
import { KeyedWorker } from './keyed-worker.ts'
import type { Operations, Target } from './operations.ts'
import { OwnerGraph } from './owner-graph.ts'

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

export interface GarbageCollectorOptions {
  readonly store: Store
  readonly registry: Registry
  readonly operations: Operations
  readonly clock: Clock
  readonly logger: Logger
}

/** What the owners of an object are, looked up just now. */
interface Owners {
  /** Alive, or not to be judged. */
  readonly solid: readonly OwnerReference[]
  readonly absent: readonly OwnerReference[]
  /** In foreground deletion: waiting for their dependents. */
  readonly waiting: readonly OwnerReference[]
}

export class GarbageCollector implements FeedListener {
  readonly #options: GarbageCollectorOptions
  readonly #graph = new OwnerGraph()
  readonly #worker: KeyedWorker

  constructor(options: GarbageCollectorOptions) {
    this.#options = options
    const { clock, logger } = options
    this.#worker = new KeyedWorker({ clock, logger, name: 'garbage-collector', run: uid => this.#process(uid) })
  }

  onExisting(stored: Stored, resource: Resource): void {
    this.#graph.set(stored, resource)
    this.#noticeObject(stored.object)
  }

  onEvent({ type, stored }: StoreEvent, resource: Resource): void {
    const { uid } = stored.object.metadata
    if (type !== 'DELETED') {
      this.#graph.set(stored, resource)
      this.#noticeObject(stored.object)
      return
    }
    for (const owner of this.#graph.ownersOf(uid)) this.#worker.add(owner)
    this.#graph.delete(uid)
    for (const dependent of this.#graph.dependentsOf(uid)) this.#worker.add(dependent)
  }

  idle(): Promise<void> | undefined {
    return this.#worker.idle()
  }

  stop(): Promise<void> {
    return this.#worker.stop()
  }

  #noticeObject({ metadata }: KubeObject): void {
    if (metadata.ownerReferences?.length) this.#worker.add(metadata.uid)
    if (metadata.deletionTimestamp === undefined || !metadata.finalizers) return
    if (metadata.finalizers.includes(orphan) || metadata.finalizers.includes(foreground)) this.#worker.add(metadata.uid)
  }

  async #process(uid: string): Promise<void> {
    const target = this.#graph.find(uid)
    const object = target && this.#read(target, uid)
    if (!target || !object) return
    const { deletionTimestamp, finalizers = [] } = object.metadata
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes(orphan)) return this.#orphanDependents(target, uid)
      if (finalizers.includes(foreground)) return this.#deleteDependents(target, uid)
      return
    }
    if (object.metadata.ownerReferences?.length) await this.#judge(target, object)
  }

  #read({ resource, namespace, name }: Target, uid: string): KubeObject | undefined {
    const stored = this.#options.store.get({ collection: resource.collection, namespace, name })
    return stored?.object.metadata.uid === uid ? stored.object : undefined
  }

  async #orphanDependents(target: Target, uid: string): Promise<void> {
    const dependents = [...this.#graph.dependentsOf(uid)]
    await Promise.all(dependents.map(dependent => this.#dropOwners(dependent, new Set([uid]))))
    await this.#dropFinalizer(target, orphan)
  }

  async #deleteDependents(target: Target, uid: string): Promise<void> {
    let isBlocked = false
    for (const dependent of this.#graph.dependentsOf(uid)) {
      const place = this.#graph.find(dependent)
      const object = place && this.#read(place, dependent)
      if (!object) continue
      const reference = object.metadata.ownerReferences?.find(owner => owner.uid === uid)
      if (reference?.blockOwnerDeletion) isBlocked = true
      this.#worker.add(dependent)
    }
    if (!isBlocked) await this.#dropFinalizer(target, foreground)
  }

  /** An object with owners: gone with them, or freed from those that are dead. */
  async #judge(target: Target, object: KubeObject): Promise<void> {
    const { uid, finalizers = [] } = object.metadata
    const { solid, absent, waiting } = this.#classify(target, object)
    if (solid.length > 0) {
      const dead = new Set([...absent, ...waiting].map(owner => owner.uid))
      if (dead.size > 0) await this.#dropOwners(uid, dead)
      return
    }
    const hasDependents = this.#graph.dependentsOf(uid).size > 0
    if (waiting.length > 0 && hasDependents) await this.#unblockCycles(uid)
    const isForeground = (waiting.length > 0 && hasDependents) || finalizers.includes(foreground)
    const propagation = finalizers.includes(orphan) ? 'Orphan' : isForeground ? 'Foreground' : 'Background'
    await this.#options.operations.remove(target, { uid, propagation })
  }

  /** A dependent that is itself waiting for this object must not wait for ever. */
  async #unblockCycles(uid: string): Promise<void> {
    for (const dependent of this.#graph.dependentsOf(uid)) {
      const place = this.#graph.find(dependent)
      const object = place && this.#read(place, dependent)
      if (!place || !object || !isWaiting(object)) continue
      for (const one of this.#graph.dependentsOf(dependent)) await this.#unblock(one, dependent)
    }
  }

  async #unblock(uid: string, owner: string): Promise<void> {
    const target = this.#graph.find(uid)
    if (!target) return
    await this.#options.operations.update(target, '', draft => {
      const reference = draft.metadata.ownerReferences?.find(one => one.uid === owner && one.blockOwnerDeletion)
      if (draft.metadata.uid !== uid || !reference) return false
      reference.blockOwnerDeletion = false
      return true
    })
  }

  #classify(target: Target, object: KubeObject): Owners {
    const solid: OwnerReference[] = []
    const absent: OwnerReference[] = []
    const waiting: OwnerReference[] = []
    for (const reference of object.metadata.ownerReferences ?? []) {
      const owner = this.#findOwner(target, reference)
      if (owner === 'unresolvable') solid.push(reference)
      else if (owner === undefined) absent.push(reference)
      else if (isWaiting(owner)) waiting.push(reference)
      else solid.push(reference)
    }
    return { solid, absent, waiting }
  }

  #findOwner(target: Target, reference: OwnerReference): KubeObject | 'unresolvable' | undefined {
    const resource = this.#resourceOf(reference)
    // A kind nobody serves, or a namespaced owner of a cluster-scoped object: no one can say whether it lives.
    if (!resource || (resource.namespaced && target.namespace === '')) return 'unresolvable'
    const namespace = resource.namespaced ? target.namespace : ''
    return this.#read({ resource, namespace, name: reference.name }, reference.uid)
  }

  #resourceOf({ apiVersion, kind }: OwnerReference): Resource | undefined {
    const { registry } = this.#options
    const exact = registry.findKind(apiVersion, kind)
    if (exact) return exact
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    for (const resource of registry.all()) if (resource.group === group && resource.kind === kind) return resource
    return undefined
  }

  async #dropOwners(uid: string, owners: ReadonlySet<string>): Promise<void> {
    const target = this.#graph.find(uid)
    if (!target) return
    await this.#options.operations.update(target, '', draft => {
      const before = draft.metadata.ownerReferences ?? []
      const after = before.filter(owner => !owners.has(owner.uid))
      if (draft.metadata.uid !== uid || after.length === before.length) return false
      if (after.length > 0) draft.metadata.ownerReferences = after
      else delete draft.metadata.ownerReferences
      return true
    })
  }

  async #dropFinalizer(target: Target, finalizer: string): Promise<void> {
    await this.#options.operations.update(target, '', draft => {
      const before = draft.metadata.finalizers ?? []
      if (!before.includes(finalizer)) return false
      draft.metadata.finalizers = before.filter(one => one !== finalizer)
      return true
    })
  }
}

const isWaiting = ({ metadata }: KubeObject) =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers?.includes(foreground) ?? false)
