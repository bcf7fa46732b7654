/** Pods of a CocoonSet, as the reference makes them. A pin is an affinity, never a bind: what does not fit stays Pending. */
import {
  type Affinity,
  type AgentSpec,
  agentPodName,
  type CocoonSet,
  type ConnType,
  cocoon,
  DEFAULT_POOL,
  labels,
  nodeLabels,
  type Pod,
  PROVIDER_TAINT,
  podAnnotations,
  type Resources,
  type Role,
  type ToolboxSpec,
  toolboxPodName,
  vmNameOf,
} from '../api/index.ts'

/** What is decided about one new pod; the rest comes from the spec. */
export interface Placement {
  /** Boot from the saved state. */
  readonly isRestore: boolean
  /** Required host. */
  readonly host?: string | undefined
  /** Preferred host: where the saved state lies already. */
  readonly preferredHost?: string | undefined
  /** Hard bind, for sub-agents beside their main. */
  readonly nodeName?: string | undefined
  readonly claim?: string | undefined
  /** The VM name of the pod that it follows; default: made from the pod's name. */
  readonly vmName?: string | undefined
}

type Options = Pick<
  AgentSpec,
  'os' | 'backend' | 'connType' | 'network' | 'forcePull' | 'noDirectIO' | 'probePort' | 'storage'
> & { readonly image?: string | undefined; readonly mode?: string | undefined; readonly vncPort?: number | undefined }

const CONTAINER = 'agent'
const PLACEHOLDER_IMAGE = 'cocoonstack.io/vm-placeholder'
const GRACE_SECONDS = 1
const PREFERRED_WEIGHT = 100

export function connTypeOf(options: Pick<Options, 'connType' | 'os' | 'vncPort'>): ConnType {
  if (options.connType) return options.connType
  if (options.vncPort) return 'vnc'
  if (options.os === 'android') return 'adb'
  return options.os === 'windows' ? 'rdp' : 'ssh'
}

/** Empty values are not written, switches only when they are on. */
const written = (values: Readonly<Record<string, string | number | boolean | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined || value === '' || value === false ? [] : [[key, String(value)]],
    ),
  )

/** What the spec says of a VM, as annotations; comparing them finds drift. */
export const optionAnnotations = (set: CocoonSet, options: Options, isOfManagedVm: boolean) =>
  written({
    [podAnnotations.mode]: options.mode,
    [podAnnotations.image]: options.image,
    [podAnnotations.os]: options.os,
    [podAnnotations.storage]: options.storage,
    [podAnnotations.snapshotPolicy]: set.spec.snapshotPolicy,
    [podAnnotations.network]: options.network,
    [podAnnotations.managed]: isOfManagedVm,
    [podAnnotations.forcePull]: options.forcePull,
    [podAnnotations.connType]: connTypeOf(options),
    [podAnnotations.backend]: options.backend,
    [podAnnotations.noDirectIo]: options.noDirectIO,
    [podAnnotations.probePort]: options.probePort,
  })

export const optionKeys = [
  podAnnotations.mode,
  podAnnotations.image,
  podAnnotations.os,
  podAnnotations.storage,
  podAnnotations.snapshotPolicy,
  podAnnotations.network,
  podAnnotations.managed,
  podAnnotations.forcePull,
  podAnnotations.connType,
  podAnnotations.backend,
  podAnnotations.noDirectIo,
  podAnnotations.probePort,
] as const

export const isStatic = (toolbox: ToolboxSpec) => toolbox.mode === 'static'

export function nodeSelectorOf({ spec }: CocoonSet): Record<string, string> {
  const { nodePool, snapshotCompatibilityClass } = spec
  return written({
    [nodeLabels.pool]: nodePool || DEFAULT_POOL,
    [nodeLabels.cpuClass]: snapshotCompatibilityClass,
  })
}

const onHost = (host: string) => ({
  matchExpressions: [{ key: nodeLabels.hostname, operator: 'In', values: [host] }],
})

function affinityOf({ host, preferredHost }: Placement): Affinity | undefined {
  if (host)
    return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onHost(host)] } } }
  if (!preferredHost) return undefined
  const preference = { weight: PREFERRED_WEIGHT, preference: onHost(preferredHost) }
  return { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preference] } }
}

export function resourcesOf({ resources, storage }: Pick<AgentSpec, 'resources' | 'storage'>): Resources {
  const extra = storage === undefined ? {} : { 'ephemeral-storage': storage }
  const requests = { ...resources?.requests, ...extra }
  const limits = { ...resources?.limits, ...extra }
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

const TOLERATIONS = [
  { key: PROVIDER_TAINT, operator: 'Exists' },
  // Without seconds: a node that flaps must never evict what stands for a VM.
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
] as const

interface Shape {
  readonly name: string
  readonly role: Role
  readonly slot: string
  readonly annotations: Record<string, string>
  readonly resources: Resources
  readonly agent?: AgentSpec
}

function podOf(set: CocoonSet, shape: Shape, placement: Placement): Pod {
  const { name: setName, namespace = '', uid = '', generation = 0 } = set.metadata
  const affinity = affinityOf(placement)
  const { agent } = shape
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: shape.name,
      namespace,
      labels: {
        [labels.set]: setName,
        [labels.role]: shape.role,
        [labels.slot]: shape.slot,
        [labels.app]: setName,
      },
      annotations: {
        ...shape.annotations,
        ...written({
          [podAnnotations.vmName]: placement.vmName ?? vmNameOf(namespace, shape.name),
          [podAnnotations.generation]: generation,
          [podAnnotations.restoreFromHibernate]: placement.isRestore,
          [podAnnotations.claim]: placement.claim,
        }),
      },
      ownerReferences: [
        {
          apiVersion: `${cocoon.sets.group}/${cocoon.sets.version}`,
          kind: cocoon.sets.kind,
          name: setName,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      nodeSelector: nodeSelectorOf(set),
      ...(affinity && { affinity }),
      ...(placement.nodeName && { nodeName: placement.nodeName }),
      tolerations: TOLERATIONS,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      ...(agent?.serviceAccountName && { serviceAccountName: agent.serviceAccountName }),
      containers: [
        {
          name: CONTAINER,
          image: PLACEHOLDER_IMAGE,
          resources: shape.resources,
          ...(agent?.envFrom && { envFrom: agent.envFrom }),
        },
      ],
    },
  }
}

export function buildAgentPod(set: CocoonSet, slot: number, placement: Placement): Pod {
  const { agent } = set.spec
  const { name, namespace = '' } = set.metadata
  const forkFrom = slot === 0 ? {} : { [podAnnotations.forkFrom]: vmNameOf(namespace, agentPodName(name, 0)) }
  const shape: Shape = {
    name: agentPodName(name, slot),
    role: slot === 0 ? 'main' : 'sub-agent',
    slot: String(slot),
    annotations: { ...optionAnnotations(set, agent, true), ...forkFrom },
    resources: resourcesOf(agent),
    agent,
  }
  return podOf(set, shape, placement)
}

/** A sub-agent forks from the VM of its main, whatever that is called. */
export const withForkFrom = (pod: Pod, mainVmName: string): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [podAnnotations.forkFrom]: mainVmName } },
})

export function buildToolboxPod(set: CocoonSet, toolbox: ToolboxSpec, placement: Placement): Pod {
  const given = isStatic(toolbox)
    ? written({
        [podAnnotations.vmId]: toolbox.staticVMID,
        [podAnnotations.ip]: toolbox.staticIP,
        [podAnnotations.vncPort]: toolbox.vncPort,
      })
    : {}
  const shape: Shape = {
    name: toolboxPodName(set.metadata.name, toolbox.name),
    role: 'toolbox',
    slot: toolbox.name,
    annotations: { ...optionAnnotations(set, toolbox, !isStatic(toolbox)), ...given },
    resources: resourcesOf(toolbox),
  }
  return podOf(set, shape, placement)
}
