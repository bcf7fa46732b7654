/** Builders of what one look shows, in the words of the scenario tables. Values only. */
import {
  type CocoonHibernation,
  type CocoonSet,
  type CocoonSetStatus,
  type MoveRecord,
  type Node,
  nodeLabels,
  type Pod,
  podAnnotations,
  SET_FINALIZER,
  vmNameOf,
} from '@godwit/nodes'
import type { TagFact } from '../src/migration/move-facts.ts'
import { buildAgentPod, type Placement } from '../src/pod/build-pod.ts'
import { decideSet } from '../src/set/decide-set.ts'
import { DEFAULT_SET_LIMITS, type SetFacts, type SetPlan } from '../src/set/set-facts.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')
export const VM = vmNameOf('ns', 'demo-0')
export const IMAGE = 'base:1'

export function set(spec: Partial<CocoonSet['spec']> = {}, status: CocoonSetStatus = {}): CocoonSet {
  return {
    apiVersion: 'cocoonset.cocoonstack.io/v1',
    kind: 'CocoonSet',
    metadata: {
      name: 'demo',
      namespace: 'ns',
      uid: 'set-uid',
      generation: 3,
      resourceVersion: '10',
      finalizers: [SET_FINALIZER],
    },
    spec: {
      snapshotPolicy: 'always',
      hibernatePolicy: 'retain',
      nodePool: 'default',
      ...spec,
      agent: {
        image: IMAGE,
        replicas: 0,
        mode: 'clone',
        os: 'linux',
        backend: 'cloud-hypervisor',
        ...spec.agent,
      },
    },
    status,
  }
}

export const withAnnotations = (of: CocoonSet, annotations: Record<string, string>): CocoonSet => ({
  ...of,
  metadata: { ...of.metadata, annotations: { ...of.metadata.annotations, ...annotations } },
})

export interface PodState {
  readonly slot?: number
  readonly uid?: string
  readonly node?: string
  /** Default: live and ready. */
  readonly is?: 'serving' | 'creating' | 'hibernating' | 'hibernated' | 'failed' | 'new'
  readonly isHibernateSet?: boolean
  readonly claim?: string
  readonly vmId?: string
  readonly answered?: number
  readonly placement?: Partial<Placement>
  readonly isTerminating?: boolean
  readonly annotations?: Record<string, string>
  readonly unschedulable?: string
}

export function pod(of: CocoonSet, state: PodState = {}): Pod {
  const { slot = 0, node, is = node === undefined ? 'new' : 'serving', answered = 3, vmId = 'vm-1' } = state
  const made = buildAgentPod(of, slot, { isRestore: false, ...state.placement })
  const isRunning = is === 'serving'
  return {
    ...made,
    metadata: {
      ...made.metadata,
      uid: state.uid ?? `pod-${slot}`,
      resourceVersion: '20',
      ...(state.isTerminating && { deletionTimestamp: '2026-11-21T11:59:59Z' }),
      annotations: {
        ...made.metadata.annotations,
        ...(state.isHibernateSet && { [podAnnotations.hibernate]: 'true' }),
        ...(state.claim && { [podAnnotations.claim]: state.claim }),
        ...((isRunning || is === 'hibernating') && { [podAnnotations.vmId]: vmId }),
        ...(is !== 'new' && {
          [podAnnotations.lifecycleState]: isRunning ? 'ready' : is,
          [podAnnotations.lifecycleGeneration]: String(answered),
        }),
        ...state.annotations,
      },
    },
    spec: { ...made.spec, ...(node !== undefined && { nodeName: node }) },
    status: {
      phase: isRunning ? 'Running' : 'Pending',
      conditions: [
        { type: 'Ready', status: isRunning ? 'True' : 'False' },
        ...(state.unschedulable
          ? [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: state.unschedulable }]
          : []),
      ],
      ...((isRunning || is === 'hibernating') && { containerStatuses: [{ name: 'agent', state: { running: {} } }] }),
    },
  }
}

export function node(name: string, { isReady = true, cordoned = false, extra = {} } = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { [nodeLabels.hostname]: name, [nodeLabels.pool]: 'default', ...extra } },
    spec: { unschedulable: cordoned },
    status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  }
}

export function hibernation(
  podName: string,
  desire: 'Hibernate' | 'Wake',
  status: CocoonHibernation['status'] = {},
  generation = 1,
): CocoonHibernation {
  return {
    apiVersion: 'cocoonset.cocoonstack.io/v1',
    kind: 'CocoonHibernation',
    metadata: { name: podName, namespace: 'ns', uid: `ch-${podName}`, generation },
    spec: { podRef: { name: podName }, desire },
    status,
  }
}

export const present = (digest = 'sha256:new', more: Partial<Extract<TagFact, { kind: 'present' }>> = {}): TagFact => ({
  kind: 'present',
  digest,
  isComplete: true,
  baseImage: IMAGE,
  ...more,
})
export const absent: TagFact = { kind: 'absent' }
export const unknown: TagFact = { kind: 'unknown', message: 'Unavailable: connection refused' }

/** An open record of the main, on its way from node-a to node-b. */
export const record = (more: Partial<MoveRecord> = {}): MoveRecord => ({
  podName: 'demo-0',
  id: 'move-1',
  vmName: VM,
  slot: 0,
  source: 'node-a',
  target: 'node-b',
  requested: 'node-b',
  stage: 'Quiesce',
  direction: 'Forward',
  entered: true,
  since: '2026-11-21T11:59:00Z',
  attempt: 1,
  generation: 3,
  startedAt: '2026-11-21T11:59:00.000Z',
  oldPodUid: 'pod-0',
  oldVmId: 'vm-1',
  ...more,
})

export interface World {
  readonly set: CocoonSet
  readonly pods?: readonly Pod[]
  readonly tags?: Readonly<Record<string, TagFact>>
  readonly hibernations?: readonly CocoonHibernation[]
  readonly nodes?: readonly Node[]
  readonly nowMs?: number
  readonly limits?: Partial<SetFacts['limits']>
}

export function factsOf(world: World): SetFacts {
  const pods = world.pods ?? []
  return {
    set: world.set,
    pods,
    hibernations: world.hibernations ?? [],
    nodes: world.nodes ?? ['node-a', 'node-b', 'node-c'].map(name => node(name)),
    podsOn: name => pods.filter(({ spec }) => spec.nodeName === name),
    tags: new Map(Object.entries(world.tags ?? {})),
    nowMs: world.nowMs ?? NOW,
    limits: { ...DEFAULT_SET_LIMITS, soakMs: 0, ...world.limits },
    leaving: () => 0,
  }
}

export const decide = (world: World): SetPlan => decideSet(factsOf(world))

/** Decides as the pass does: what the decision asks of the registry, it is told. `asked` says what that was. */
export function decideAsking(world: World, answers: Readonly<Record<string, TagFact>>) {
  const asked: string[] = []
  let tags: Record<string, TagFact> = {}
  for (;;) {
    const plan = decide({ ...world, tags })
    const open = plan.needs.filter(name => !(name in tags))
    if (open.length === 0) return { plan, asked }
    asked.push(...open)
    tags = { ...tags, ...Object.fromEntries(open.map(name => [name, answers[name] ?? absent])) }
  }
}

export const kindsOf = ({ effects }: Pick<SetPlan, 'effects'>) => effects.map(({ kind }) => kind)
