/** Informers of the operator, and which sets and hibernations a change concerns. Facts only; they may lag. */
import { isEqualJson } from '@godwit/engine'
import { type Change, Informer, type KubeClient, keyOf, resources } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'
import {
  type CocoonHibernation,
  type CocoonSet,
  cocoon,
  labels,
  NODE_DRAIN,
  type Node,
  type Pod,
} from '../api/index.ts'
import { hostOf } from '../pod/node-fit.ts'
import { podNamesOf } from '../set/members.ts'

export interface WorldOptions {
  readonly client: KubeClient
  /** Default: all namespaces. */
  readonly namespace?: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onSet: (key: string) => void
  readonly onHibernation: (key: string) => void
}

const BY_NODE = 'node'
const BY_SET = 'set'
const BY_POD = 'pod'

export class NodesWorld {
  readonly client: KubeClient
  readonly #options: WorldOptions
  readonly #sets: Informer<CocoonSet>
  readonly #pods: Informer<Pod>
  readonly #hibernations: Informer<CocoonHibernation>
  readonly #nodes: Informer<Node>

  constructor(options: WorldOptions) {
    const { client, namespace, clock, random, logger } = options
    const common = { client, clock, random, logger }
    const scope = namespace === undefined ? {} : { namespace }
    this.#options = options
    this.client = client
    this.#sets = new Informer<CocoonSet>({ ...common, ...scope, resource: cocoon.sets })
    this.#pods = new Informer<Pod>({ ...common, ...scope, resource: resources.pods, labelSelector: labels.set })
    this.#hibernations = new Informer<CocoonHibernation>({ ...common, ...scope, resource: cocoon.hibernations })
    this.#nodes = new Informer<Node>({ ...common, resource: resources.nodes })
    this.#pods.addIndex(BY_NODE, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []))
    this.#pods.addIndex(BY_SET, ({ metadata }) => [keyOf({ ...metadata, name: metadata.labels?.[labels.set] ?? '' })])
    this.#hibernations.addIndex(BY_POD, ({ metadata, spec }) => [keyOf({ ...metadata, name: spec.podRef.name })])
    this.#sets.onChange(change => {
      if (isSetNews(change)) options.onSet(keyOf(change.object.metadata))
    })
    this.#pods.onChange(({ object }) => this.#onPod(object))
    this.#hibernations.onChange(({ object }) => this.#onHibernation(object))
    this.#nodes.onChange(change => this.#onNode(change))
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const informer of this.#all) informer.start()
    await Promise.all(this.#all.map(informer => informer.synced(signal)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(informer => informer.stop()))
  }

  get #all() {
    return [this.#sets, this.#pods, this.#hibernations, this.#nodes]
  }

  sets = () => this.#sets.list()
  set = (namespace: string, name: string) => this.#sets.get({ namespace, name })
  nodes = () => this.#nodes.list()
  podsOn = (nodeName: string) => this.#pods.byIndex(BY_NODE, nodeName)
  podsOfSet = (key: string) => this.#pods.byIndex(BY_SET, key)
  hibernations = (namespace: string) => this.#hibernations.list(namespace)
  allHibernations = () => this.#hibernations.list()
  hibernation = (namespace: string, name: string) => this.#hibernations.get({ namespace, name })
  hibernationsOf = (podKey: string) => this.#hibernations.byIndex(BY_POD, podKey)

  /** How many VMs are on their way away from a host, of all sets. */
  leaving = (host: string): number =>
    this.#sets
      .list()
      .reduce((sum, { status }) => sum + (status?.migrations ?? []).filter(m => m.source === host).length, 0)

  #onPod(pod: Pod): void {
    const { onSet, onHibernation } = this.#options
    onSet(keyOf({ ...pod.metadata, name: pod.metadata.labels?.[labels.set] ?? '' }))
    for (const { metadata } of this.hibernationsOf(keyOf(pod.metadata))) onHibernation(keyOf(metadata))
  }

  #onHibernation({ metadata, spec }: CocoonHibernation): void {
    const { onSet, onHibernation } = this.#options
    onHibernation(keyOf(metadata))
    const { namespace = '' } = metadata
    const pod = this.#pods.get({ namespace, name: spec.podRef.name })
    const owner = pod?.metadata.labels?.[labels.set]
    if (owner) {
      onSet(keyOf({ namespace, name: owner }))
      return
    }
    for (const set of this.#sets.list(namespace))
      if (podNamesOf(set).includes(spec.podRef.name)) onSet(keyOf(set.metadata))
  }

  /** Nodes report every few seconds; only what decides where a VM may be is news. */
  #onNode({ type, object, previous }: Change<Node>): void {
    if (type !== 'deleted' && previous && isEqualJson(decisive(previous), decisive(object))) return
    const host = hostOf(object)
    const isOnIt = (set: CocoonSet) =>
      this.podsOfSet(keyOf(set.metadata)).some(pod => pod.spec.nodeName === object.metadata.name)
    for (const set of this.#sets.list()) {
      const isMoving = (set.status?.migrations?.length ?? 0) > 0
      if (isMoving || set.spec.nodeName === host || isOnIt(set)) this.#options.onSet(keyOf(set.metadata))
    }
  }
}

const decisive = ({ metadata, spec, status }: Node) => ({
  labels: metadata.labels,
  drain: metadata.annotations?.[NODE_DRAIN],
  unschedulable: spec?.unschedulable,
  taints: spec?.taints,
  allocatable: status?.allocatable,
  ready: status?.conditions?.find(({ type }) => type === 'Ready')?.status,
})

/** Spec, status, deletion, or an annotation by which a person or another operator says something. */
export function isSetNews({ object, previous }: Pick<Change<CocoonSet>, 'object' | 'previous'>): boolean {
  if (!previous) return true
  const { metadata: now, status } = object
  const { metadata: then } = previous
  return (
    now.uid !== then.uid ||
    now.generation !== then.generation ||
    now.deletionTimestamp !== then.deletionTimestamp ||
    !isEqualJson(now.finalizers ?? [], then.finalizers ?? []) ||
    !isEqualJson(status ?? {}, previous.status ?? {}) ||
    !isEqualJson(ours(now.annotations), ours(then.annotations))
  )
}

const ours = (annotations: Readonly<Record<string, string>> | undefined) =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key.startsWith('godwit.dev/')))
