/** The demo of nodes: moves VMs while their operator is killed again and again, and counts for itself what arrived. */
import { Informer, type KubeObject } from '@godwit/kube'
import { type CocoonSet, cocoon, type MoveStage } from '@godwit/nodes'
import { sleep, systemClock, systemRandom } from '@godwit/ports'
import { OperatorProcess } from './operator-process.ts'
import { NAMESPACE, NODES, type NodesDemoWorld, startNodesWorld } from './world.ts'

export interface NodesDemoResult {
  readonly items: number
  /** VMs that were to go to another node, and that are there. */
  readonly wanted: number
  readonly moved: number
  readonly seconds: number
  readonly kills: number
  readonly recoveries: number
  /** Stages in which nobody could be killed, because no look ever met them: they passed in one write. */
  readonly unseen: readonly MoveStage[]
  /** From the receipt that the source stopped to the proof that the target runs. */
  readonly downtimeMs: { readonly median: number; readonly longest: number }
  /** Writes that guests acknowledged after their save and before their removal: the node agent's own window. */
  readonly windowWrites: number
  readonly apiCallsPerMove: number
  /** Promises that did not hold; a demo with any has failed. */
  readonly violations: readonly string[]
}

export interface NodesDemoOptions {
  readonly items: number
  readonly isKilling: boolean
  readonly log: (line: string) => void
}

export interface FinishedNodes {
  readonly result: NodesDemoResult
  readonly world: NodesDemoWorld
  stop(): Promise<void>
}

/** Prepare is over before anybody can see it, unless something is amiss. */
const STAGES: readonly MoveStage[] = ['Quiesce', 'Release', 'Restore', 'Settle']
const LIMIT_MS = 300_000
const LOOK_EVERY_MS = 100

export async function runNodesDemo(options: NodesDemoOptions): Promise<FinishedNodes> {
  const world = await startNodesWorld()
  const demo = new Demo(world, options)
  const result = await demo.run()
  return {
    result,
    world,
    stop: async () => {
      await demo.stop()
      await world.stop()
    },
  }
}

class Demo {
  readonly #world: NodesDemoWorld
  readonly #options: NodesDemoOptions
  readonly #operator: OperatorProcess
  readonly #sets: Informer<CocoonSet>
  readonly #unkilled: MoveStage[]
  readonly #problems: string[] = []
  #kills = 0
  #recoveries = 0

  constructor(world: NodesDemoWorld, options: NodesDemoOptions) {
    this.#world = world
    this.#options = options
    this.#unkilled = options.isKilling ? [...STAGES] : []
    this.#operator = new OperatorProcess(world, {
      onRecovered: () => this.#recoveries++,
      onProblem: text => {
        this.#problems.push(text)
        options.log(`operator: ${text}`)
      },
    })
    const { client } = world
    this.#sets = new Informer<CocoonSet>({ client, resource: cocoon.sets, clock: systemClock, random: systemRandom })
  }

  async run(): Promise<NodesDemoResult> {
    const { items, log } = this.#options
    this.#sets.start()
    await this.#sets.synced()
    this.#operator.start()
    for (let index = 0; index < items; index++) await this.#create(index)
    await this.#until('every set runs', () => this.#running() === items)
    log(`${items} sets run on ${NODES.join(', ')}`)
    const before = this.#counters()
    const callsBefore = this.#world.calls()
    this.#sets.onChange(({ object }) => this.#strike(object))
    const startedAt = systemClock.now()
    const wanted = Math.floor(items / 2)
    for (let index = 0; index < wanted; index++) await this.#pin(index, nodeOf(index + 1))
    log(`${wanted} of them are pinned to another node`)
    await this.#until('every VM has moved', () => this.#moved(wanted) === wanted && this.#running() === items)
    const seconds = Math.round((systemClock.now() - startedAt) / 100) / 10
    await this.#until('the last restart has looked around', () => this.#recoveries >= this.#kills)
    return this.#sumUp({ wanted, seconds, before, calls: this.#world.calls() - callsBefore })
  }

  async stop(): Promise<void> {
    await this.#operator.stop()
    await this.#sets.stop()
  }

  #sumUp(seen: {
    wanted: number
    seconds: number
    before: ReadonlyMap<string, number>
    calls: number
  }): NodesDemoResult {
    const { wanted, seconds, before, calls } = seen
    const { watch, cluster } = this.#world
    const after = this.#counters()
    const behind = [...before].filter(([vmName, counter]) => (after.get(vmName) ?? -1) < counter)
    const downtimes = this.#sets
      .list()
      .flatMap(({ status }) => (status?.lastMigrations ?? []).flatMap(({ downtimeMs }) => downtimeMs ?? []))
      .sort((a, b) => a - b)
    const { items } = this.#options
    return {
      items,
      wanted,
      moved: this.#moved(wanted),
      seconds,
      kills: this.#kills,
      recoveries: this.#recoveries,
      unseen: [...this.#unkilled],
      downtimeMs: { median: downtimes[Math.floor(downtimes.length / 2)] ?? 0, longest: downtimes.at(-1) ?? 0 },
      windowWrites: cluster.agents.ledger.windowWrites,
      apiCallsPerMove: Math.round((calls / wanted) * 10) / 10,
      violations: [
        ...watch.violations,
        ...behind.map(([vmName, counter]) => `${vmName}: counted to ${counter} before, to ${after.get(vmName)} now`),
        ...this.#problems.filter(text => text.startsWith('the operator ended')),
      ],
    }
  }

  async #create(index: number): Promise<void> {
    await this.#world.client.create<KubeObject>(cocoon.sets, {
      apiVersion: 'cocoonset.cocoonstack.io/v1',
      kind: 'CocoonSet',
      metadata: { name: nameOf(index), namespace: NAMESPACE },
      spec: { nodeName: nodeOf(index), snapshotPolicy: 'never', agent: { image: 'ubuntu' } },
    } as KubeObject)
  }

  async #pin(index: number, nodeName: string): Promise<void> {
    const ref = { name: nameOf(index), namespace: NAMESPACE }
    await this.#world.client.patch(cocoon.sets, ref, { spec: { nodeName } })
  }

  /** Kills the operator the first time that any move is in a stage. */
  #strike({ metadata, status }: CocoonSet): void {
    for (const { stage } of status?.migrations ?? []) {
      const place = this.#unkilled.indexOf(stage)
      if (place < 0) continue
      this.#unkilled.splice(place, 1)
      this.#kills++
      this.#options.log(`kill -9 of the operator in ${stage} of ${metadata.name}, start it again`)
      this.#operator.killAndRestart().catch(error => this.#problems.push(String(error)))
    }
  }

  #counters = () => new Map(this.#world.cluster.agents.guests().map(({ vmName, counter }) => [vmName, counter]))

  #running = () =>
    this.#sets
      .list()
      .filter(
        ({ metadata, status }) =>
          status?.phase === 'Running' &&
          status.observedGeneration === metadata.generation &&
          !status.migrations?.length,
      ).length

  #moved(wanted: number): number {
    const { pods } = this.#world.cluster.agents
    const isThere = (index: number) =>
      pods.get({ namespace: NAMESPACE, name: `${nameOf(index)}-0` })?.spec?.nodeName === nodeOf(index + 1)
    return Array.from({ length: wanted }, (_, index) => index).filter(isThere).length
  }

  async #until(what: string, isReached: () => boolean): Promise<void> {
    const deadline = systemClock.now() + LIMIT_MS
    for (;;) {
      this.#world.watch.look()
      if (isReached()) return
      if (systemClock.now() > deadline) throw new Error(`not within ${LIMIT_MS / 1000} s: ${what}`)
      await sleep(systemClock, LOOK_EVERY_MS)
    }
  }
}

const nameOf = (index: number) => `set-${String(index + 1).padStart(2, '0')}`
const nodeOf = (index: number) => NODES[index % NODES.length] ?? NODES[0]
