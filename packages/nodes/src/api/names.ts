/** Names that users, node agents and the reference operator see. They are interfaces: changing one breaks somebody. */
import { createHash } from 'node:crypto'

export const GROUP = 'cocoonset.cocoonstack.io'

export const labels = {
  set: `${GROUP}/name`,
  role: `${GROUP}/role`,
  slot: `${GROUP}/slot`,
  app: 'app.kubernetes.io/name',
} as const

export type Role = 'main' | 'sub-agent' | 'toolbox'

/** On pods. */
export const podAnnotations = {
  vmName: 'vm.cocoonstack.io/name',
  hibernate: 'vm.cocoonstack.io/hibernate',
  restoreFromHibernate: 'vm.cocoonstack.io/restore-from-hibernate',
  keepSnapshotOnDelete: 'vm.cocoonstack.io/keep-snapshot-on-delete',
  forkFrom: 'vm.cocoonstack.io/fork-from',
  cloneFromDir: 'vm.cocoonstack.io/clone-from-dir',
  connType: 'vm.cocoonstack.io/conn-type',
  backend: 'vm.cocoonstack.io/backend',
  noDirectIo: 'vm.cocoonstack.io/no-direct-io',
  probePort: 'vm.cocoonstack.io/probe-port',
  mode: `${GROUP}/mode`,
  image: `${GROUP}/image`,
  os: `${GROUP}/os`,
  storage: `${GROUP}/storage`,
  snapshotPolicy: `${GROUP}/snapshot-policy`,
  network: `${GROUP}/network`,
  managed: `${GROUP}/managed`,
  forcePull: `${GROUP}/force-pull`,
  generation: `${GROUP}/generation`,
  deadLetter: `${GROUP}/dead-letter`,
  vmId: 'vm.cocoonstack.io/id',
  ip: 'vm.cocoonstack.io/ip',
  vncPort: 'vm.cocoonstack.io/vnc-port',
  lifecycleState: 'vm.cocoonstack.io/lifecycle-state',
  lifecycleGeneration: 'vm.cocoonstack.io/lifecycle-observed-generation',
  lifecycleMessage: 'vm.cocoonstack.io/lifecycle-state-message',
  /** Ours: who may set and clear `hibernate`, as `migration/ID`, `suspend/UID` or `hibernation/UID`. One for a VM. */
  claim: 'godwit.dev/claim',
} as const

/** On CocoonSets. */
export const setAnnotations = {
  deleteVmNames: `${GROUP}/delete-vm-names`,
  hibernatedOnNode: `${GROUP}/hibernated-on-node`,
  rebuildHistory: `${GROUP}/rebuild-history`,
  /** Ours: the id of a migration whose snapshot the user gives up, so that the VM may boot fresh. */
  acceptLoss: 'godwit.dev/accept-snapshot-loss',
  /** Ours: the deletion of the set does not wait for snapshots that cannot be deleted. */
  forceDelete: 'godwit.dev/force-delete',
} as const

/** Ours, on a CocoonHibernation that is Hibernated and being deleted: the saved state may go with it. */
export const HIBERNATION_ACCEPT_LOSS = 'godwit.dev/accept-snapshot-loss'

/** Ours, on a Node: move the main agents of CocoonSets away from it. */
export const NODE_DRAIN = 'godwit.dev/drain'

export const SET_FINALIZER = `${GROUP}/finalizer`
export const HIBERNATION_FINALIZER = `cocoonhibernation.${GROUP}/finalizer`
export const ELECTION_ID = `cocoon-operator.${GROUP}`
export const EVENT_COMPONENT = 'cocoon-operator'

export const nodeLabels = {
  hostname: 'kubernetes.io/hostname',
  pool: 'cocoonstack.io/pool',
  cpuClass: 'cocoonstack.io/snapshot-cpu-class',
  vm: 'node-role.kubernetes.io/cocoon-vm',
} as const

export const PROVIDER_TAINT = 'virtual-kubelet.io/provider'
export const DEFAULT_POOL = 'default'

export const lifecycleStates = ['creating', 'ready', 'hibernating', 'hibernated', 'failed'] as const
export type LifecycleState = (typeof lifecycleStates)[number]

export const agentPodName = (set: string, slot: number) => `${set}-${slot}`
export const toolboxPodName = (set: string, toolbox: string) => `${set}-${toolbox}`

const HASH_CHARS = 6

/**
 * The VM name of a new pod. The hash keeps namespaces with dashes apart; an existing pod keeps the name in its
 * annotation, whatever this says.
 */
export function vmNameOf(namespace: string, podName: string): string {
  const hash = createHash('sha256').update(`${namespace}/${podName}`).digest('hex').slice(0, HASH_CHARS)
  return `vk-${namespace}-${podName.replaceAll('.', '-')}-${hash}`
}
