/** The workers of batches and of their members, for whoever assembles a site. */
import { Worker } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { AuditRequests } from './audit-requests.ts'
import { BatchWorker } from './batch-worker.ts'
import { Foresight } from './foresight.ts'
import { MemberWorker } from './member-worker.ts'
import type { RehomePorts } from './ports.ts'
import { RunWatch } from './run-watch.ts'

export interface RehomeWorkersOptions extends RehomePorts {
  /** Unique for each life of the process. */
  readonly holder: string
  /**
   * Members that are looked at, or run, at once in this process: a member holds its place while its playbook runs. More
   * than all batches together are wide.
   */
  readonly memberConcurrency?: number
  readonly leaseMs?: number
  readonly pollMs?: number
}

const BATCHES_AT_ONCE = 16
const MEMBERS_AT_ONCE = 1_024

/** To be started and stopped by the caller. */
export function rehomeWorkers(options: RehomeWorkersOptions): readonly Worker[] {
  const { site, holder, memberConcurrency = MEMBERS_AT_ONCE, leaseMs, pollMs } = options
  const { database, clock, logger } = site
  const audits = new AuditRequests()
  const foresight = new Foresight(clock)
  const batches = new BatchWorker(options, audits, foresight)
  const members = new MemberWorker(options, new RunWatch(site), { audits, foresight })
  const shared = {
    database,
    clock,
    logger,
    holder,
    ...(leaseMs !== undefined && { leaseMs }),
    ...(pollMs !== undefined && { pollMs }),
  }
  return [
    new Worker({
      ...shared,
      queue: QUEUES.batch,
      concurrency: BATCHES_AT_ONCE,
      perform: ({ key }, signal) => batches.perform(Number(key), signal),
    }),
    new Worker({
      ...shared,
      queue: QUEUES.member,
      concurrency: memberConcurrency,
      perform: ({ key }, signal) => members.perform(Number(key), signal),
    }),
  ]
}
