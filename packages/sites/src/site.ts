/** What every part of one site works with. */
import type { Clock, Logger, Random } from '@godwit/ports'
import type { WakingDatabase } from '@godwit/store'

export interface SiteIdentity {
  /** UUID of the system, with dashes: leader ids and peers name a site by it. */
  readonly uuid: string
  readonly name: string
}

/** Of the system controller of this site: what a playbook tells a subcloud, and what gateways are checked against. */
export interface SiteNetwork {
  readonly managementSubnet: string
  /** Addresses that the site gives to its own hosts: no gateway may be one of them. */
  readonly managementPool: { readonly start: string; readonly end: string }
  readonly managementAddress: string
  readonly oamSubnet: string
  readonly oamAddress: string
}

export interface Site {
  readonly identity: SiteIdentity
  readonly network: SiteNetwork
  /** Of the software of this site; the default release of its subclouds. */
  readonly softwareVersion: string
  readonly database: WakingDatabase
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Queues of work, and what their keys are. A row that changes wakes the queue in the same transaction. */
export const QUEUES = {
  /** Ids of system peers: heartbeat. */
  peer: 'peer',
  /** Ids of associations: sync, delete, audit. */
  association: 'association',
  /** Ids of batches. */
  batch: 'batch',
  /** Ids of batch members. */
  member: 'member',
  /** Ids of subclouds: is it online? */
  availability: 'availability',
  /** Ids of system peers: what is done when one is lost. */
  failover: 'failover',
} as const

/** Between two looks at a subcloud, unless the configuration says otherwise. */
export const AUDIT_MS = 40_000

/** What an audit of a subcloud finds after a step of a rehome is no news: once for several steps is enough. */
export const AUDIT_SOON_MS = 5_000
