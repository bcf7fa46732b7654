/** Random requests on a few objects of two kinds: what several clients do who know nothing of each other. */
import type { Random } from '@godwit/ports'
import type { Answer, Api, Body } from './api.ts'

const acts = [
  'create',
  'createHeld',
  'createOwned',
  'replace',
  'replace',
  'replaceStale',
  'replaceBlindly',
  'merge',
  'merge',
  'mergeNothing',
  'mergeInvalid',
  'jsonPatch',
  'apply',
  'apply',
  'applyOther',
  'applyForce',
  'status',
  'status',
  'label',
  'hold',
  'release',
  'release',
  'delete',
  'delete',
  'deleteForeground',
  'deleteOrphan',
  'deleteOther',
  'dryRun',
  'get',
] as const

export type Act = (typeof acts)[number]

export interface Operation {
  readonly act: Act
  readonly kind: 'widgets' | 'configmaps'
  readonly namespace: string
  readonly name: string
  readonly value: number
}

export interface Playground {
  readonly group: string
  readonly namespaces: readonly string[]
  /** Objects of each kind in each namespace. */
  readonly names: number
  /** Acts that are not to be chosen. */
  readonly without?: readonly Act[]
}

/** Two writers of `apply` and the finalizer of `hold`. */
const managers = ['one', 'two'] as const
export const finalizer = 'consistency.example.com/held'

const picked = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T

export function randomOperation(random: Random, { namespaces, names, without = [] }: Playground): Operation {
  const act = picked(
    random,
    acts.filter(one => !without.includes(one)),
  )
  return {
    act,
    kind: picked(random, ['widgets', 'configmaps']),
    namespace: picked(random, namespaces),
    name: `object-${Math.floor(random.next() * names)}`,
    value: 1 + Math.floor(random.next() * 9),
  }
}

export function collectionOf(group: string, kind: Operation['kind'], namespace: string): string {
  return kind === 'widgets'
    ? `/apis/${group}/v1/namespaces/${namespace}/widgets`
    : `/api/v1/namespaces/${namespace}/configmaps`
}

/** The object of an operation with its value in it. */
function objectOf(group: string, { kind, name, value }: Operation, metadata: object = {}): Record<string, unknown> {
  const meta = { name, ...metadata }
  if (kind === 'configmaps') return { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: { a: String(value) } }
  const spec = { size: value, tags: [`t${value}`], parts: [{ name: 'p', qty: value }] }
  return { apiVersion: `${group}/v1`, kind: 'Widget', metadata: meta, spec }
}

/** Reads before it writes where a client would. */
export function perform(api: Api, group: string, operation: Operation): Promise<Answer> {
  const collection = collectionOf(group, operation.kind, operation.namespace)
  return new Performer(api, group, operation, collection).run()
}

class Performer {
  readonly #api: Api
  readonly #group: string
  readonly #operation: Operation
  readonly #collection: string
  readonly #path: string

  constructor(api: Api, group: string, operation: Operation, collection: string) {
    this.#api = api
    this.#group = group
    this.#operation = operation
    this.#collection = collection
    this.#path = `${collection}/${operation.name}`
  }

  run(): Promise<Answer> {
    const { act, kind, value } = this.#operation
    const isWidget = kind === 'widgets'
    switch (act) {
      case 'create':
        return this.#create({ labels: { parity: value % 2 ? 'odd' : 'even' } })
      case 'createHeld':
        return this.#create({ finalizers: [finalizer] })
      case 'createOwned':
        return this.#createOwned()
      case 'replace':
      case 'replaceStale':
      case 'replaceBlindly':
        return this.#replace(act)
      case 'merge':
        return this.#merge(isWidget ? { spec: { size: value } } : { data: { a: String(value) } })
      case 'mergeNothing':
        return this.#merge({})
      case 'mergeInvalid':
        return this.#merge(isWidget ? { spec: { size: 0, color: 'Pink' } } : { metadata: { labels: { a: '%' } } })
      case 'jsonPatch':
        return this.#jsonPatch(isWidget ? '/spec/size' : '/data/a', isWidget ? value : String(value))
      case 'apply':
      case 'applyOther':
      case 'applyForce':
        return this.#apply(act === 'applyOther' ? managers[1] : managers[0], act === 'applyForce')
      case 'status':
        return this.#api.merge(`${this.#path}/status`, {
          status: { phase: value % 2 ? 'Done' : 'Pending', replicas: value },
        })
      case 'label':
        return this.#merge({ metadata: { labels: { parity: value % 2 ? 'odd' : null } } })
      case 'hold':
        return this.#merge({ metadata: { finalizers: [finalizer] } })
      case 'release':
        return this.#merge({ metadata: { finalizers: null } })
      case 'delete':
        return this.#api.delete(this.#path)
      case 'deleteForeground':
        return this.#api.delete(this.#path, { propagationPolicy: 'Foreground' })
      case 'deleteOrphan':
        return this.#api.delete(this.#path, { propagationPolicy: 'Orphan' })
      case 'deleteOther':
        return this.#api.delete(this.#path, { preconditions: { uid: 'somebody-else' } })
      case 'dryRun':
        return this.#api.merge(this.#path, { metadata: { labels: { parity: 'odd' } } }, { dryRun: 'All' })
      case 'get':
        return this.#api.get(this.#path)
    }
  }

  #create(metadata: object): Promise<Answer> {
    return this.#api.send('POST', this.#collection, objectOf(this.#group, this.#operation, metadata))
  }

  /** Owned by an object of the other kind with the same name, if there is one. */
  async #createOwned(): Promise<Answer> {
    const { kind, namespace, name } = this.#operation
    const other = kind === 'widgets' ? 'configmaps' : 'widgets'
    const owner = await this.#api.get(`${collectionOf(this.#group, other, namespace)}/${name}`)
    if (owner.status !== 200) return owner
    const { apiVersion, kind: ownerKind, metadata } = owner.body
    const reference = { apiVersion, kind: ownerKind, name, uid: metadata.uid, blockOwnerDeletion: true }
    return this.#create({ ownerReferences: [reference] })
  }

  async #replace(act: 'replace' | 'replaceStale' | 'replaceBlindly'): Promise<Answer> {
    const { body } = await this.#api.get(this.#path)
    const version = act === 'replace' ? body.metadata?.resourceVersion : act === 'replaceStale' ? '1' : undefined
    const metadata = { labels: body.metadata?.labels, finalizers: body.metadata?.finalizers, resourceVersion: version }
    return this.#api.send('PUT', this.#path, objectOf(this.#group, this.#operation, metadata))
  }

  #merge(patch: object): Promise<Answer> {
    return this.#api.merge(this.#path, patch)
  }

  #jsonPatch(path: string, value: unknown): Promise<Answer> {
    const patch = [
      { op: 'test', path: '/metadata/name', value: this.#operation.name },
      { op: 'replace', path, value },
    ]
    return this.#api.send('PATCH', this.#path, patch, { type: 'application/json-patch+json' })
  }

  #apply(fieldManager: string, force: boolean): Promise<Answer> {
    return this.#api.apply(this.#path, objectOf(this.#group, this.#operation), {
      fieldManager,
      ...(force && { force: 'true' }),
    })
  }
}

export function isObjectAnswer({ status, body }: Answer): boolean {
  return status < 300 && body.kind !== 'Status'
}

/** Everything but metadata and status. */
export function specOf(object: Body): unknown {
  const { metadata: _metadata, status: _status, ...spec } = object
  return spec
}
