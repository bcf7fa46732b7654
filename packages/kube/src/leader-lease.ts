/** The Lease of an election: what is written into it. Times in it are for people; nobody's clock is compared with them. */
import { rfc3339Micro } from '@godwit/ports'
import type { KubeObject, Ref } from './object.ts'
import { apiVersionOf, resources } from './resource.ts'

export interface LeaseSpec {
  /** Empty: released. */
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  /** MicroTime: exactly six decimals. */
  readonly acquireTime?: string
  readonly renewTime?: string
  /** Grows with each change of holder: the epoch. */
  readonly leaseTransitions?: number
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec
}

export interface Claim {
  readonly identity: string
  readonly epoch: number
  readonly leaseDurationMs: number
}

export const epochOf = (lease: Lease | undefined) => lease?.spec?.leaseTransitions ?? 0

export const isReleased = (lease: Lease) => (lease.spec?.holderIdentity ?? '') === ''

/** Same holder and same epoch: nobody has taken it since, for taking it makes the epoch grow. */
export const isHeldBy = (lease: Lease | undefined, { identity, epoch }: Claim) =>
  lease?.spec?.holderIdentity === identity && epochOf(lease) === epoch

export function claimed(live: Lease | undefined, ref: Ref, claim: Claim, nowMs: number): Lease {
  const now = rfc3339Micro(nowMs)
  return {
    apiVersion: apiVersionOf(resources.leases),
    kind: resources.leases.kind,
    metadata: live?.metadata ?? { ...ref },
    spec: {
      ...live?.spec,
      holderIdentity: claim.identity,
      // Rounded up: others must never wait for less than the holder counts on.
      leaseDurationSeconds: Math.max(1, Math.ceil(claim.leaseDurationMs / 1000)),
      acquireTime: now,
      renewTime: now,
      leaseTransitions: claim.epoch,
    },
  }
}

export const renewed = (lease: Lease, nowMs: number): Lease => ({
  ...lease,
  spec: { ...lease.spec, renewTime: rfc3339Micro(nowMs) },
})

/** The epoch stays: whoever takes it next makes it grow. */
export const released = (lease: Lease, nowMs: number): Lease => ({
  ...lease,
  spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: rfc3339Micro(nowMs) },
})
