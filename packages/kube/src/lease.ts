import type { KubeObject } from './object.ts'

/** `coordination.k8s.io/v1` Lease as used for leadership. Times are MicroTime: exactly six decimals. */
export interface LeaderLease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}
