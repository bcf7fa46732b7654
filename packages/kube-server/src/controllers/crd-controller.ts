/** Establishes definitions, serves their resources, and clears away instances before a definition goes. */
import { type Clock, type Logger, rfc3339 } from '@godwit/ports'
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import { acceptNames, type TakenNames } from '../crd/accept-names.ts'
import type { CompiledSchemas } from '../crd/compiled-schemas.ts'
import { customResources } from '../crd/custom-resource.ts'
import {
  type CrdCondition,
  type CrdStatus,
  cleanupFinalizer,
  crdCollection,
  crdSpec,
  crdStatus,
  hasCondition,
  withCondition,
} from '../crd/definition.ts'
import { crdResource } from '../crd/definition-resource.ts'
import { sameJson } from '../patch/index.ts'
import type { Registry } from '../registry/registry.ts'
import type { Resource } from '../registry/resource.ts'
import type { Store, Stored } from '../store/types.ts'
import { KeyedWorker } from './keyed-worker.ts'
import type { Operations } from './operations.ts'

export interface CrdControllerOptions {
  readonly store: Store
  readonly registry: Registry
  readonly operations: Operations
  readonly schemas: CompiledSchemas
  readonly clock: Clock
  readonly logger: Logger
}

interface Served {
  readonly uid: string
  /** What the resources were made from; they are made anew when it changes. */
  readonly source: Json
  readonly resources: readonly Resource[]
  /** Watches instances, so that the end of a clean-up is noticed. */
  readonly stop: () => void
}

export class CrdController {
  readonly #options: CrdControllerOptions
  readonly #worker: KeyedWorker
  readonly #served = new Map<string, Served>()
  readonly #stop: () => void

  /** Definitions that are established already are served when this returns. */
  constructor(options: CrdControllerOptions) {
    this.#options = options
    const { store, clock, logger } = options
    this.#worker = new KeyedWorker({ clock, logger, name: 'definitions', run: name => this.#process(name) })
    for (const stored of store.scan(crdCollection)) {
      this.#serve(stored)
      this.#worker.add(stored.key.name)
    }
    this.#stop = store.watch(crdCollection, undefined, event => {
      if (event.type === 'DELETED') this.#withdraw(event.stored)
      // At once: whoever sees the condition may use the resource.
      else this.#serve(event.stored)
      this.#worker.add(event.stored.key.name)
    })
  }

  idle(): Promise<void> | undefined {
    return this.#worker.idle()
  }

  async stop(): Promise<void> {
    this.#stop()
    for (const { stop } of this.#served.values()) stop()
    await this.#worker.stop()
  }

  #read(name: string): KubeObject | undefined {
    return this.#options.store.get({ collection: crdCollection, namespace: '', name })?.object
  }

  async #process(name: string): Promise<void> {
    const definition = this.#read(name)
    if (!definition) return
    await this.#establish(definition)
    const { deletionTimestamp, finalizers = [] } = definition.metadata
    if (deletionTimestamp !== undefined && finalizers.includes(cleanupFinalizer)) await this.#cleanUp(definition)
  }

  async #establish(definition: KubeObject): Promise<void> {
    const before = crdStatus(definition)
    const now = rfc3339(this.#options.clock.now())
    const status = statusWith(definition, this.#takenNames(definition), now)
    if (JSON.stringify(before) === JSON.stringify(status)) return
    await this.#setStatus(definition, status)
  }

  /** The other definitions of the group; those come first that were there first. */
  #neighbours(definition: KubeObject): KubeObject[] {
    const { group } = crdSpec(definition)
    const { uid } = definition.metadata
    const all = [...this.#options.store.scan(crdCollection)].map(stored => stored.object)
    return all.filter(other => crdSpec(other).group === group && other.metadata.uid !== uid)
  }

  #takenNames(definition: KubeObject): TakenNames[] {
    const builtins = this.#options.registry.builtinsOf(crdSpec(definition).group)
    return [...builtins, ...this.#neighbours(definition).map(other => crdStatus(other).acceptedNames)]
  }

  async #setStatus(definition: KubeObject, status: CrdStatus): Promise<void> {
    const { name, uid } = definition.metadata
    await this.#options.operations.update({ resource: crdResource, namespace: '', name }, 'status', draft => {
      if (draft.metadata.uid !== uid) return false
      // Versions may have been added to the list meanwhile; that list is not ours.
      draft['status'] = { ...status, storedVersions: crdStatus(draft).storedVersions }
      return true
    })
  }

  #serve({ object: definition }: Stored): void {
    const { name, uid } = definition.metadata
    if (!hasCondition(definition, 'Established') || this.#isInTheWay(definition)) return
    const source: Json = [uid, definition['spec'] ?? null, { ...crdStatus(definition).acceptedNames }]
    const known = this.#served.get(name)
    if (sameJson(known?.source, source)) return
    known?.stop()
    const resources = this.#compile(definition)
    const { store, registry } = this.#options
    const stop = store.watch(name, undefined, event => {
      if (event.type === 'DELETED' && this.#read(name)?.metadata.deletionTimestamp !== undefined) this.#worker.add(name)
    })
    this.#served.set(name, { uid, source, resources, stop })
    registry.setCustom(name, resources)
  }

  /**
   * No definition takes the place of a built-in kind, even if somebody wrote the condition: roles and requests have
   * rules of their own, and the end of the definition would be theirs.
   */
  #isInTheWay(definition: KubeObject): boolean {
    const { group, names } = crdSpec(definition)
    return this.#options.registry.isBuiltin(group, names.plural)
  }

  #compile(definition: KubeObject): readonly Resource[] {
    const { name } = definition.metadata
    const known = this.#served.get(name)
    // A changed definition keeps its history: informers need not start over.
    const historyStart = known?.resources[0]?.historyStart ?? this.#options.store.version
    try {
      return customResources(definition, historyStart, this.#options.schemas)
    } catch (error) {
      // A definition from an older store may no longer compile; the others must be served nevertheless.
      this.#options.logger.error({ definition: name, error: String(error) }, 'a definition cannot be served')
      return []
    }
  }

  #withdraw({ key, object }: Stored): void {
    this.#served.get(key.name)?.stop()
    this.#served.delete(key.name)
    this.#options.registry.setCustom(key.name, [])
    // Names may have become free.
    for (const other of this.#neighbours(object)) this.#worker.add(other.metadata.name)
  }

  async #cleanUp(definition: KubeObject): Promise<void> {
    const { name } = definition.metadata
    const remaining = this.#isInTheWay(definition) ? 0 : await this.#deleteInstances(name)
    if (remaining > 0) {
      const condition = {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionInProgress',
        message: `CustomResource deletion is in progress, ${remaining} remain`,
      }
      const status = crdStatus(this.#read(name) ?? definition)
      const now = rfc3339(this.#options.clock.now())
      return this.#setStatus(definition, { ...status, conditions: withCondition(status.conditions, condition, now) })
    }
    await this.#options.operations.update({ resource: crdResource, namespace: '', name }, '', draft => {
      const before = draft.metadata.finalizers ?? []
      draft.metadata.finalizers = before.filter(one => one !== cleanupFinalizer)
      return before.length !== draft.metadata.finalizers.length
    })
  }

  /** Returns how many are left, waiting for their finalizers. */
  async #deleteInstances(collection: string): Promise<number> {
    const { store, operations } = this.#options
    const resource = this.#served.get(collection)?.resources[0]
    if (resource) {
      const instances = [...store.scan(collection)].filter(
        ({ object }) => object.metadata.deletionTimestamp === undefined,
      )
      await Promise.all(
        instances.map(({ key }) => operations.remove({ resource, namespace: key.namespace, name: key.name })),
      )
    }
    let remaining = 0
    for (const _stored of store.scan(collection)) remaining++
    return remaining
  }
}

/** The status a definition should have beside names that are taken. */
function statusWith(definition: KubeObject, taken: readonly TakenNames[], now: string): CrdStatus {
  const before = crdStatus(definition)
  const { names, conflict } = acceptNames(definition, taken)
  const accepted: Omit<CrdCondition, 'lastTransitionTime'> = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  let conditions = withCondition(before.conditions, accepted as CrdCondition, now)
  // Once established, always established: instances may exist.
  if (!hasCondition(definition, 'Established')) {
    const established = conflict
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
    conditions = withCondition(conditions, established, now)
  }
  const status: JsonObject = { ...before, conditions, acceptedNames: names }
  return status as CrdStatus
}
