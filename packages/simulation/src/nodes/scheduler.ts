/** A small scheduler: picks a node for each pod that has none, or says why there is none. Also clears away pods of nodes that went. */
import { Informer, isConflict, isNotFound, type KubeClient, keyOf, refOf, resources } from '@godwit/kube'
import { type Clock, type Logger, type Random, rfc3339, silentLogger } from '@godwit/ports'
import { KeyedQueue } from '../queue/keyed-queue.ts'
import { forgetPod } from './agent-calls.ts'
import { loadOf, misfit, preference, type VmNode } from './node.ts'
import type { VmPod } from './pod.ts'

export interface SchedulerOptions {
  readonly client: KubeClient
  /** Of all namespaces, with an index `node`. */
  readonly pods: Informer<VmPod>
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** From the loss of a node's object to the removal of its pods, in milliseconds. */
  readonly podGcMs: number
}

/** A pod that fits nowhere is looked at again this often, and whenever a node or another pod changes. */
const RETRY_MS = 5_000

export class Scheduler {
  readonly nodes: Informer<VmNode>
  readonly #options: SchedulerOptions
  readonly #queue: KeyedQueue
  /** Pods without a node. */
  readonly #waiting = new Set<string>()
  /** Where pods were put whose change the cache does not show yet. */
  readonly #assumed = new Map<string, { readonly node: string; readonly pod: VmPod }>()

  constructor(options: SchedulerOptions) {
    this.#options = options
    const { client, clock, random, logger = silentLogger } = options
    this.nodes = new Informer<VmNode>({ client, resource: resources.nodes, clock, random })
    this.#queue = new KeyedQueue({
      name: 'scheduler',
      clock,
      random,
      logger,
      workers: 1,
      work: key => this.#place(key),
    })
    options.pods.onChange(({ type, object }) => this.#seePod(object, type === 'deleted'))
    this.nodes.onChange(({ type, object }) => {
      if (type === 'deleted') clock.after(options.podGcMs, () => this.#clear(object.metadata.name))
      for (const key of this.#waiting) this.#queue.add(key)
    })
  }

  get load(): number {
    return this.#queue.load
  }

  async start(): Promise<void> {
    this.nodes.start()
    await this.nodes.synced()
    this.#queue.start()
  }

  async stop(): Promise<void> {
    await this.#queue.stop()
    await this.nodes.stop()
  }

  #seePod(pod: VmPod, isDeleted: boolean): void {
    const key = keyOf(pod.metadata)
    if (!isDeleted && pod.spec?.nodeName === undefined && pod.metadata.deletionTimestamp === undefined) {
      this.#waiting.add(key)
      this.#queue.add(key)
      return
    }
    this.#waiting.delete(key)
    this.#assumed.delete(key)
    // What was freed may be what another one waits for.
    if (isDeleted) for (const other of this.#waiting) this.#queue.add(other)
  }

  async #place(key: string): Promise<number | undefined> {
    const [namespace = '', name = ''] = key.split('/')
    const pod = this.#options.pods.get({ namespace, name })
    if (!pod || !this.#waiting.has(key) || pod.spec?.nodeName !== undefined) return undefined
    const { node, reasons, total } = this.#choose(pod)
    const { client } = this.#options
    try {
      if (node === undefined) {
        await this.#tellUnschedulable(pod, `0/${total} nodes are available: ${reasons.join(', ')}.`)
        return RETRY_MS
      }
      const { uid, resourceVersion } = pod.metadata
      const precondition = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }
      await client.patch(resources.pods, refOf(pod), { spec: { nodeName: node } }, { precondition })
      this.#assumed.set(key, { node, pod })
      this.#waiting.delete(key)
      return undefined
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return RETRY_MS
      throw error
    }
  }

  #choose(pod: VmPod) {
    const nodes = this.nodes.list()
    const reasons = new Map<string, number>()
    let best: { readonly name: string; readonly score: number } | undefined
    for (const node of nodes) {
      const { name } = node.metadata
      const load = loadOf(this.#podsOn(name))
      const why = misfit(pod, node, load)
      if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1)
      // Preferences first, then the emptiest.
      const score = preference(pod, node) * 1e6 - load.pods
      if (why === undefined && (!best || score > best.score)) best = { name, score }
    }
    return {
      node: best?.name,
      reasons: [...reasons].map(([why, count]) => `${count} node(s) ${why}`),
      total: nodes.length,
    }
  }

  *#podsOn(node: string): Iterable<VmPod> {
    yield* this.#options.pods.byIndex('node', node)
    for (const assumed of this.#assumed.values()) if (assumed.node === node) yield assumed.pod
  }

  async #tellUnschedulable(pod: VmPod, message: string): Promise<void> {
    const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
    if (known?.message === message) return
    const { client, clock } = this.#options
    const lastTransitionTime = rfc3339(clock.now())
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime }
    const status = { phase: 'Pending', conditions: [condition] }
    const { uid } = pod.metadata
    await client.patch(
      resources.pods,
      refOf(pod),
      { status },
      { subresource: 'status', precondition: uid ? { uid } : {} },
    )
  }

  /** Pods of a node that does not exist any more would be Terminating or Running for ever. */
  #clear(node: string): void {
    if (this.nodes.get({ name: node })) return
    for (const { metadata } of this.#options.pods.byIndex('node', node)) {
      const { namespace = '', name, uid = '' } = metadata
      forgetPod(this.#options.client, { namespace, name, uid }).catch(error =>
        this.#options.logger?.debug({ pod: name, error: String(error) }, 'pod of a lost node not removed'),
      )
    }
  }
}
