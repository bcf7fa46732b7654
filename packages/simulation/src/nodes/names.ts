/** Names that VM agents and the operator agree on. Written down here a second time on purpose: it is a contract. */

export const podNames = {
  vmName: 'vm.cocoonstack.io/name',
  hibernate: 'vm.cocoonstack.io/hibernate',
  restore: 'vm.cocoonstack.io/restore-from-hibernate',
  keepSnapshot: 'vm.cocoonstack.io/keep-snapshot-on-delete',
  forkFrom: 'vm.cocoonstack.io/fork-from',
  vmId: 'vm.cocoonstack.io/id',
  ip: 'vm.cocoonstack.io/ip',
  lifecycle: 'vm.cocoonstack.io/lifecycle-state',
  lifecycleGeneration: 'vm.cocoonstack.io/lifecycle-observed-generation',
  lifecycleMessage: 'vm.cocoonstack.io/lifecycle-state-message',
  generation: 'cocoonset.cocoonstack.io/generation',
  image: 'cocoonset.cocoonstack.io/image',
  managed: 'cocoonset.cocoonstack.io/managed',
  os: 'cocoonset.cocoonstack.io/os',
  snapshotPolicy: 'cocoonset.cocoonstack.io/snapshot-policy',
} as const

export const SET_LABEL = 'cocoonset.cocoonstack.io/name'
export const ROLE_LABEL = 'cocoonset.cocoonstack.io/role'

export const nodeNames = {
  hostname: 'kubernetes.io/hostname',
  pool: 'cocoonstack.io/pool',
  cpuClass: 'cocoonstack.io/snapshot-cpu-class',
  vm: 'node-role.kubernetes.io/cocoon-vm',
  taint: 'virtual-kubelet.io/provider',
} as const

export const HIBERNATE_TAG = 'hibernate'
export const LATEST_TAG = 'latest'
