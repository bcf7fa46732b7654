/** Empties terminating namespaces, then lets them go; gives every living one what real clusters put into it. */
import { type Clock, type Logger, rfc3339 } from '@godwit/ports'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { configMaps } from '../registry/builtin/config-map.ts'
import { namespaceFinalizers, namespaces } from '../registry/builtin/namespace.ts'
import { serviceAccounts } from '../registry/builtin/service-account.ts'
import type { Resource } from '../registry/resource.ts'
import type { Store, Stored, StoreEvent } from '../store/types.ts'
import type { Feed, FeedListener } from './feed.ts'
import { KeyedWorker } from './keyed-worker.ts'
import type { Operations } from './operations.ts'

const contentFinalizer = 'kubernetes'
const rootCertificates = 'kube-root-ca.crt'

export interface NamespaceControllerOptions {
  readonly store: Store
  readonly feed: Feed
  readonly operations: Operations
  readonly clock: Clock
  readonly logger: Logger
  /** PEM of the authority that signs the server's certificate; empty on plain http. */
  readonly caPem: string
}

interface Remains {
  readonly resource: Resource
  count: number
  readonly finalizers: Map<string, number>
}

export class NamespaceController implements FeedListener {
  readonly #options: NamespaceControllerOptions
  readonly #worker: KeyedWorker

  constructor(options: NamespaceControllerOptions) {
    this.#options = options
    const { clock, logger } = options
    this.#worker = new KeyedWorker({ clock, logger, name: 'namespaces', run: name => this.#process(name) })
  }

  onExisting({ key }: Stored): void {
    if (key.collection === namespaces.collection) this.#worker.add(key.name)
  }

  onEvent({ type, stored: { key } }: StoreEvent): void {
    if (key.collection === namespaces.collection) {
      if (type !== 'DELETED') this.#worker.add(key.name)
    } else if (key.namespace !== '' && this.#concerns(type, key)) this.#worker.add(key.namespace)
  }

  idle(): Promise<void> | undefined {
    return this.#worker.idle()
  }

  stop(): Promise<void> {
    return this.#worker.stop()
  }

  /** Content of a terminating namespace, or one of its standard objects gone. */
  #concerns(type: StoreEvent['type'], { collection, name, namespace }: Stored['key']): boolean {
    if (type === 'DELETED' && collection === serviceAccounts.collection && name === 'default') return true
    if (collection === configMaps.collection && name === rootCertificates) return true
    return this.#namespace(namespace)?.metadata.deletionTimestamp !== undefined
  }

  #namespace(name: string): KubeObject | undefined {
    return this.#options.store.get({ collection: namespaces.collection, namespace: '', name })?.object
  }

  async #process(name: string): Promise<void> {
    const object = this.#namespace(name)
    if (!object) return
    if (object.metadata.deletionTimestamp === undefined) return this.#furnish(name)
    if (!namespaceFinalizers(object).includes(contentFinalizer)) return
    const remains = await this.#empty(name)
    if (remains.length > 0) return this.#report(name, remains)
    await this.#options.operations.update({ resource: namespaces, namespace: '', name }, 'finalize', draft => {
      const finalizers = namespaceFinalizers(draft).filter(one => one !== contentFinalizer)
      draft['spec'] = finalizers.length > 0 ? { finalizers } : {}
      return true
    })
  }

  async #furnish(namespace: string): Promise<void> {
    const { operations, caPem, store } = this.#options
    await operations.ensure({ resource: serviceAccounts, namespace, name: 'default' }, {})
    const target = { resource: configMaps, namespace, name: rootCertificates }
    const data = { 'ca.crt': caPem }
    const annotations = {
      'kubernetes.io/description':
        'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.',
    }
    await operations.ensure(target, { metadata: { annotations }, data })
    const stored = store.get({ collection: configMaps.collection, namespace, name: rootCertificates })
    const kept = stored?.object['data'] as JsonObject | undefined
    if (!stored || kept?.['ca.crt'] === caPem) return
    await operations.update(target, '', draft => {
      draft['data'] = data
      return true
    })
  }

  /** Deletes everything inside; returns what is still there. */
  async #empty(namespace: string): Promise<Remains[]> {
    const { store, feed, operations } = this.#options
    const deletions: Promise<void>[] = []
    for (const [collection, resource] of feed.collections) {
      if (!resource.namespaced) continue
      for (const { key, object } of store.scan(collection, namespace))
        if (object.metadata.deletionTimestamp === undefined)
          deletions.push(operations.remove({ resource, namespace, name: key.name }, { propagation: 'Background' }))
    }
    await Promise.all(deletions)
    return this.#remains(namespace)
  }

  #remains(namespace: string): Remains[] {
    const found: Remains[] = []
    for (const [collection, resource] of this.#options.feed.collections) {
      if (!resource.namespaced) continue
      const one: Remains = { resource, count: 0, finalizers: new Map() }
      for (const { object } of this.#options.store.scan(collection, namespace)) {
        one.count++
        for (const finalizer of object.metadata.finalizers ?? [])
          one.finalizers.set(finalizer, (one.finalizers.get(finalizer) ?? 0) + 1)
      }
      if (one.count > 0) found.push(one)
    }
    return found
  }

  async #report(name: string, remains: readonly Remains[]): Promise<void> {
    const now = rfc3339(this.#options.clock.now())
    await this.#options.operations.update({ resource: namespaces, namespace: '', name }, 'status', draft => {
      const status = (draft['status'] ?? {}) as JsonObject
      const before = (status['conditions'] ?? []) as JsonObject[]
      draft['status'] = { ...status, conditions: conditionsFor(remains, before, now) }
      return true
    })
  }
}

function conditionsFor(remains: readonly Remains[], before: readonly JsonObject[], now: string): JsonObject[] {
  const content = remains.map(({ resource, count }) => `${nameOf(resource)} has ${count} resource instances`)
  const finalizers = new Map<string, number>()
  for (const one of remains)
    for (const [finalizer, count] of one.finalizers) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + count)
  const waiting = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
  const wanted: [string, string, string, string][] = [
    ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      'False',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      'False',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    ['NamespaceContentRemaining', 'True', 'SomeResourcesRemain', `Some resources are remaining: ${content.join(', ')}`],
    waiting.length > 0
      ? [
          'NamespaceFinalizersRemaining',
          'True',
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${waiting.join(', ')}`,
        ]
      : [
          'NamespaceFinalizersRemaining',
          'False',
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ],
  ]
  return wanted.map(([type, status, reason, message]) => {
    const old = before.find(one => one['type'] === type)
    const lastTransitionTime = old?.['status'] === status ? (old['lastTransitionTime'] ?? now) : now
    return { type, status, lastTransitionTime, reason, message }
  })
}

const nameOf = ({ plural, group }: Resource) => `${plural}.${group}`
