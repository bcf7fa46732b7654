/**
 * `DELETE /peer-group-associations/{id}`. The primary one takes the copies on the peer away first: that is the worker's
 * part, and the caller hears how it ended; what did not end well is an error and never a success (H10).
 */
import { sleep } from '@godwit/ports'
import { type Sql, wakeWork } from '@godwit/store'
import type { ApiPorts } from '../http/api-ports.ts'
import { Refusal } from '../http/refusal.ts'
import type { Asked, Transact } from '../http/route.ts'
import { runningBatch } from '../rehome/new-batch.ts'
import { QUEUES } from '../site.ts'
import { named, removeLocally } from './named-association.ts'
import { type Association, associationById, updateAssociation } from './rows.ts'

const LOOK_MS = 100
/** Clients wait for some minutes; proxies often for one. */
const MAX_WAIT_MS = 45_000

export async function removeAssociation(
  { site, deletionWaitMs = MAX_WAIT_MS }: ApiPorts,
  asked: Asked,
  transact: Transact,
): Promise<null> {
  const wanted = await transact(sql => want(sql, asked))
  if (!wanted) return null
  for (let waitedMs = 0; waitedMs < deletionWaitMs; waitedMs += LOOK_MS) {
    const left = await transact(sql => associationById(sql, wanted.id))
    if (!left) return null
    if (left.deleting === undefined) throw new Refusal(422, left.syncMessage ?? 'The deletion failed')
    await sleep(site.clock, LOOK_MS)
  }
  throw new Refusal(422, 'The copies on the peer site are still being deleted: look again, or use force=true')
}

/** @returns the association that the worker deletes; undefined: it is gone */
async function want(sql: Sql, { ref, query }: Asked): Promise<Association | undefined> {
  const association = await named(sql, ref)
  const running = await runningBatch(sql, association.groupId)
  if (running) throw new Refusal(409, `The group is being migrated: operation ${running.operationId}`)
  if (association.type !== 'primary') {
    await removeLocally(sql, association)
    return undefined
  }
  const force = forceOf(query) || association.deleting === 'force'
  const updated = await updateAssociation(sql, association, { deleting: force ? 'force' : 'delete', wanted: null })
  await wakeWork(sql, QUEUES.association, String(association.id))
  return updated
}

function forceOf(query: URLSearchParams): boolean {
  const force = query.get('force') ?? 'false'
  if (!/^(true|false)$/i.test(force)) throw new Refusal(400, 'Invalid force')
  return force.toLowerCase() === 'true'
}
