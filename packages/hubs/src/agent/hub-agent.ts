/**
 * The agent of one hub: does what the MigrationTasks in its namespace on the global hub ask for, as source or as
 * target. It remembers nothing that is not in a task or on its hub, so it may die at any instruction.
 */
import { EffectRunner, KeyedQueue, Pacer, reconcile } from '@godwit/engine'
import { Informer, isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import { type Clock, type Logger, type Random, rfc3339 } from '@godwit/ports'
import { AGENT_NAMESPACE, godwit, type MigrationTask } from '../api/index.ts'
import { BundleReader } from '../bundle/bundle-reader.ts'
import { BundleWriter } from '../bundle/bundle-writer.ts'
import { taskSamples } from '../metrics/collectors.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { planTask } from '../plan/side-plan.ts'
import { type AskLacking, agentPreflight } from '../preflight/parties.ts'
import { TaskCache } from '../record/task-cache.ts'
import * as sourceItems from '../source/item-side.ts'
import type { SourceItemEffect } from '../source/item-table.ts'
import * as sourceShared from '../source/shared-side.ts'
import type { SourceSharedEffect } from '../source/shared-table.ts'
import * as targetItems from '../target/item-side.ts'
import type { TargetItemEffect } from '../target/item-table.ts'
import { readSealingKey } from '../target/sealing-key.ts'
import * as targetShared from '../target/shared-side.ts'
import type { TargetSharedEffect } from '../target/shared-table.ts'
import type { Evidence } from './facts.ts'
import { HubWorld } from './hub-world.ts'
import { type Job, openItems, passOverItems } from './item-pass.ts'
import { passOverShared, type SharedJob } from './shared-pass.ts'

export interface HubAgentOptions {
  /** Name of the hub, which is also its namespace on the global hub. */
  readonly hubName: string
  /** Client of the hub itself. */
  readonly hub: KubeClient
  /** Client of the global hub, confined to namespace `hubName`. */
  readonly globalHub: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Items that act on the hub at the same time. Default 24. */
  readonly concurrency?: number
  /** Where the tasks of the hub are counted while the agent runs. */
  readonly metrics?: Metrics
}

/** Changes that come in a burst are looked at together. */
const SETTLE_MS = 3
/** While more of the same task is being acted on, an outcome waits this long for company. */
const COMPANY_MS = 250
/** A task rests after each write, the longer the more of its items are under way: they share the next one. */
const REST_MS_PER_ITEM = 4
const MAX_REST_MS = 200
/** Shared rows are observed by reading; while one is under way it is read again this often at the latest. */
const SHARED_RECHECK_MS = 2000

/** Items are told of by watches; whatever was put off without news to come is found by looking. */
const ITEM_RECHECK_MS = 10_000

/** Keys of effects are `namespace/task` and, for items, `/item`. */
const taskOfKey = (key: string) => key.split('/')[1] ?? ''

type Rest = (ms: number) => void

export class HubAgent {
  readonly #options: HubAgentOptions
  readonly #queue: KeyedQueue
  readonly #pacer: Pacer
  readonly #world: HubWorld
  readonly #informer: Informer<MigrationTask>
  readonly #tasks: TaskCache
  readonly #bundles: BundleReader
  readonly #lacking: AskLacking
  readonly #bootstraps = new Map<string, string>()
  readonly #writers = new Map<string, BundleWriter>()
  readonly #items: {
    readonly source: EffectRunner<Job<SourceItemEffect>, Evidence>
    readonly target: EffectRunner<Job<TargetItemEffect>, Evidence>
  }
  readonly #shared: {
    readonly source: EffectRunner<SharedJob & { readonly effect: SourceSharedEffect }, Evidence>
    readonly target: EffectRunner<SharedJob & { readonly effect: TargetSharedEffect }, Evidence>
  }

  constructor(options: HubAgentOptions) {
    this.#options = options
    const { clock, random, logger, hub, globalHub, hubName } = options
    this.#lacking = agentPreflight({ hubName, hub, globalHub, clock })
    this.#queue = new KeyedQueue({ clock, random })
    this.#pacer = new Pacer(clock, SETTLE_MS)
    this.#world = new HubWorld({
      client: hub,
      clock,
      random,
      logger,
      onChange: cluster => this.#clusterChanged(cluster),
    })
    this.#informer = new Informer<MigrationTask>({
      client: globalHub,
      resource: godwit.tasks,
      namespace: hubName,
      clock,
      random,
      logger,
    })
    this.#informer.addIndex('item', task => Object.keys(task.spec.items ?? {}))
    this.#informer.onChange(({ object }) => this.#lookSoon(object.metadata.name))
    this.#tasks = new TaskCache(this.#informer, globalHub)
    const privateKey = async (uid: string) => (await readSealingKey(hub, uid))?.privateKey
    this.#bundles = new BundleReader({ globalHub, namespace: hubName, privateKey })
    this.#items = {
      source: this.#runner((_, job) => sourceItems.perform(this.#sourceSide, job, job.effect)),
      target: this.#runner((_, job) => targetItems.perform(this.#targetSide, job, job.effect)),
    }
    this.#shared = {
      source: this.#runner((_, job) => sourceShared.perform(this.#sourceSharedSide, job, job.effect)),
      target: this.#runner((_, job) => targetShared.perform(this.#targetSharedSide, job, job.effect)),
    }
  }

  /** Works until `signal` aborts; effects that are under way then are awaited. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#ensureNamespace()
    this.#informer.start()
    await Promise.all([this.#world.start(signal), this.#informer.synced(signal)])
    if (!signal.aborted) await this.#work(signal)
    const runners = [this.#items.source, this.#items.target, this.#shared.source, this.#shared.target]
    await Promise.all(runners.map(runner => runner.stop()))
    await Promise.all([this.#informer.stop(), this.#world.stop()])
  }

  async #work(signal: AbortSignal): Promise<void> {
    this.#logRecovery()
    const { logger, metrics } = this.#options
    const forget = metrics?.add(() => taskSamples(this.#tasks.list()))
    for (const { metadata } of this.#tasks.list()) this.#queue.add(metadata.name)
    const pass = (name: string) => this.#pacer.timed(name, rest => this.#pass(name, rest, signal))
    await reconcile({ queue: this.#queue, pass, workers: 4, logger }, signal)
    forget?.()
  }

  #runner<Work extends { readonly effect: object }>(
    perform: (key: string, work: Work) => Promise<Evidence | undefined>,
  ) {
    const { clock, random, concurrency = 24 } = this.#options
    const runner = new EffectRunner<Work, Evidence>({
      clock,
      random,
      concurrency,
      perform,
      nameOf: ({ effect }) => JSON.stringify(effect),
      groupOf: taskOfKey,
      onSettled: key => {
        const task = taskOfKey(key)
        if (runner.running(task) === 0) this.#lookSoon(task)
        else this.#queue.addAfter(task, COMPANY_MS)
      },
    })
    return runner
  }

  get #sourceSide(): sourceItems.SourceSide {
    return {
      world: this.#world,
      bootstrapKubeconfig: to => this.#bootstraps.get(to),
      bundleWriter: task => this.#writerOf(task),
    }
  }

  get #targetSide(): targetItems.TargetSide {
    return { world: this.#world, bundles: this.#bundles, migrationUser: uid => this.#migrationUser(uid) }
  }

  get #sourceSharedSide(): sourceShared.SourceSharedSide {
    const { hub, globalHub } = this.#options
    const onBootstrap = (to: string, kubeconfig: string | undefined) => this.#rememberBootstrap(to, kubeconfig)
    return { hub, globalHub, onBootstrap, lacking: this.#lacking }
  }

  get #targetSharedSide(): targetShared.TargetSharedSide {
    return { hub: this.#options.hub, lacking: this.#lacking }
  }

  #migrationUser(uid: string): string | undefined {
    const shared = this.#tasks
      .list()
      .find(({ spec }) => spec.migration.uid === uid && spec.role === 'Target' && spec.scope === 'Shared')
    return shared && targetShared.userOf(shared)
  }

  async #pass(name: string, rest: Rest, signal: AbortSignal): Promise<{ readonly afterMs?: number }> {
    const task = this.#tasks.get({ name, namespace: this.#options.hubName })
    if (!task) this.#pacer.forget(name)
    if (!task) return {}
    if (task.spec.scope === 'Plan') return this.#planPass(task, signal)
    return task.spec.scope === 'Shared' ? this.#sharedPass(task, signal) : this.#itemPass(task, rest)
  }

  /** A plan is told once; whoever wants a newer one makes a new task. */
  async #planPass(task: MigrationTask, signal: AbortSignal): Promise<{ readonly afterMs?: number }> {
    if (task.status?.plan) return {}
    await this.#world.addOptionalKinds(signal)
    const sides = {
      hubName: this.#options.hubName,
      source: this.#sourceSide,
      // A plan has no bootstrap of its own, and must not make others believe that theirs is gone.
      sourceShared: { ...this.#sourceSharedSide, onBootstrap: () => undefined },
      target: this.#targetSide,
      targetShared: this.#targetSharedSide,
    }
    const plan = await planTask(sides, task, rfc3339(this.#options.clock.now()))
    await this.#tasks.patchStatus(task, { plan, epoch: task.spec.epoch })
    return {}
  }

  async #sharedPass(task: MigrationTask, signal: AbortSignal): Promise<{ readonly afterMs?: number }> {
    const common = { tasks: this.#tasks, now: () => rfc3339(this.#options.clock.now()) }
    await this.#world.addOptionalKinds(signal)
    const isSource = task.spec.role === 'Source'
    const written = isSource
      ? await passOverShared(
          {
            ...common,
            role: sourceShared.sourceSharedRole,
            look: seen => sourceShared.look(this.#sourceSharedSide, seen),
            runner: this.#shared.source,
          },
          task,
        )
      : await passOverShared(
          {
            ...common,
            role: targetShared.targetSharedRole,
            look: seen => targetShared.look(this.#targetSharedSide, seen),
            runner: this.#shared.target,
          },
          task,
        )
    this.#logProgress(task, written)
    return written.status?.shared?.state === 'Acting' ? { afterMs: SHARED_RECHECK_MS } : {}
  }

  async #itemPass(task: MigrationTask, rest: Rest): Promise<{ readonly afterMs?: number }> {
    const written = await this.#passOverItems(task)
    const open = openItems(written).length
    if (written !== task) rest(Math.min(MAX_REST_MS, REST_MS_PER_ITEM * open))
    return open > 0 ? { afterMs: ITEM_RECHECK_MS } : {}
  }

  async #passOverItems(task: MigrationTask): Promise<MigrationTask> {
    const common = { tasks: this.#tasks, now: () => rfc3339(this.#options.clock.now()) }
    if (task.spec.role === 'Target')
      return passOverItems(
        {
          ...common,
          role: targetItems.targetItemRole,
          observe: (seen, name, remembered) => targetItems.observe(this.#targetSide, seen, name, remembered),
          runner: this.#items.target,
        },
        task,
      )
    await this.#readBootstrap(task)
    return passOverItems(
      {
        ...common,
        role: sourceItems.sourceItemRole,
        observe: (seen, name, remembered) => sourceItems.observe(this.#sourceSide, seen, name, remembered),
        runner: this.#items.source,
      },
      task,
    )
  }

  /** After a restart the bootstrap kubeconfig is known only once somebody has looked. */
  async #readBootstrap(task: MigrationTask): Promise<void> {
    if (!this.#bootstraps.has(task.spec.peer)) await sourceShared.look(this.#sourceSharedSide, task)
  }

  #rememberBootstrap(to: string, kubeconfig: string | undefined): void {
    if (this.#bootstraps.get(to) === kubeconfig) return
    if (kubeconfig === undefined) this.#bootstraps.delete(to)
    else this.#bootstraps.set(to, kubeconfig)
    for (const { metadata } of this.#tasks.list()) this.#lookSoon(metadata.name)
  }

  #writerOf(task: MigrationTask): BundleWriter {
    const { uid } = task.spec.migration
    const sealTo = task.spec.sealTo ?? ''
    const key = `${uid}/${sealTo}`
    const known = this.#writers.get(key)
    if (known) return known
    const { globalHub, hubName } = this.#options
    const writer = new BundleWriter({ client: globalHub, namespace: hubName, migrationUid: uid, sealTo })
    this.#writers.set(key, writer)
    return writer
  }

  #lookSoon(task: string): void {
    this.#queue.addAfter(task, this.#pacer.delayMs(task))
  }

  #clusterChanged(cluster: string): void {
    for (const { metadata } of this.#informer.byIndex('item', cluster)) this.#lookSoon(metadata.name)
  }

  async #ensureNamespace(): Promise<void> {
    const { hub } = this.#options
    if (await hub.get(resources.namespaces, { name: AGENT_NAMESPACE })) return
    try {
      await hub.create(resources.namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: AGENT_NAMESPACE },
      })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  #logRecovery(): void {
    const { logger, hubName } = this.#options
    const tasks = this.#tasks.list()
    for (const task of tasks) {
      const open = openItems(task)
      const stages = Object.fromEntries(
        Object.entries(Object.groupBy(open, ({ stage }) => stage)).map(([s, of]) => [s, of?.length]),
      )
      const { role, scope, migration, epoch } = task.spec
      const items = Object.keys(task.spec.items ?? {}).length
      const found = {
        task: task.metadata.name,
        migration: migration.name,
        role,
        scope,
        epoch,
        items,
        shared: task.status?.shared?.stage,
      }
      logger.info({ hub: hubName, ...found, resuming: open.length, stages }, 'recovered task, resuming what is open')
    }
    logger.info(
      { hub: hubName, tasks: tasks.length },
      tasks.length > 0 ? 'recovered' : 'recovered, nothing is under way',
    )
  }

  #logProgress(before: MigrationTask, after: MigrationTask): void {
    const [from, to] = [before.status?.shared, after.status?.shared]
    if (!to || (from?.stage === to.stage && from.state === to.state && from.direction === to.direction)) return
    const { migration, role, epoch } = after.spec
    const fields = { migration: migration.name, role, epoch, stage: to.stage, direction: to.direction, state: to.state }
    this.#options.logger.info({ ...fields, ...(to.message && { message: to.message }) }, 'shared stage changed')
  }
}
