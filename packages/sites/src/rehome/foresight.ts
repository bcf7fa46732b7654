/**
 * What the other site has of members that begin next, asked for many at once before they do. Nothing but the choice of
 * an epoch rests on it: one that is too low by then is refused there.
 */
import type { Clock } from '@godwit/ports'
import type { Remote } from '../audit/member.ts'
import { isYounger } from './freshness.ts'

/** Whoever begins later asks for himself. */
const FRESH_MS = 5_000

export class Foresight {
  readonly #clock: Clock
  /** By id of the member, the oldest first. */
  readonly #seen = new Map<number, { readonly remote: Remote; readonly atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  knows(memberId: number): boolean {
    return this.#seen.has(memberId)
  }

  /** @param atMs when it was asked */
  note(memberId: number, remote: Remote, atMs: number): void {
    for (const [id, { atMs: before }] of this.#seen) {
      if (isYounger(this.#clock, before, FRESH_MS)) break
      this.#seen.delete(id)
    }
    if (remote.kind !== 'unread') this.#seen.set(memberId, { remote, atMs })
  }

  /** Once: whoever begins anew asks anew. */
  take(memberId: number): Remote | undefined {
    const seen = this.#seen.get(memberId)
    this.#seen.delete(memberId)
    return seen && isYounger(this.#clock, seen.atMs, FRESH_MS) ? seen.remote : undefined
  }
}
