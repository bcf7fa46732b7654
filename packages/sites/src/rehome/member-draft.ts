/** What a step changes of a member, and whom it wakes: collected while the step decides, written once when it is over. */
import { type Row, type Sql, updateRow, type Value, wakeWork } from '@godwit/store'
import type { QUEUES } from '../site.ts'
import { seen } from '../state/row-time.ts'
import { type BatchMember, memberOf } from './batch-rows.ts'

type Queue = (typeof QUEUES)[keyof typeof QUEUES]

export class MemberDraft {
  readonly #seen: { readonly id: number; readonly version: number }
  /** As it will be. */
  readonly #row: Record<string, Value>
  readonly #changes: Record<string, Value> = {}
  readonly #wakes = new Map<string, { readonly queue: Queue; readonly key: string; readonly afterMs: number }>()

  /** @param row as the table has it */
  constructor(row: Row) {
    this.#seen = seen(row)
    this.#row = { ...row }
  }

  /** As it will be. */
  get member(): BatchMember {
    return memberOf(this.#row)
  }

  /** @returns the member as it will be */
  change(columns: Row): BatchMember {
    Object.assign(this.#changes, columns)
    Object.assign(this.#row, columns)
    return this.member
  }

  wake(queue: Queue, id: number, afterMs = 0): void {
    const name = `${queue} ${id}`
    const soonestMs = Math.min(afterMs, this.#wakes.get(name)?.afterMs ?? afterMs)
    this.#wakes.set(name, { queue, key: String(id), afterMs: soonestMs })
  }

  /** @throws Retryable when the row has changed since it was read */
  async save(sql: Sql): Promise<void> {
    if (Object.keys(this.#changes).length > 0) await updateRow(sql, 'batch_member', this.#seen, this.#changes)
    for (const { queue, key, afterMs } of this.#wakes.values()) await wakeWork(sql, queue, key, afterMs)
  }
}
