/** What must hold from one state of an object to the next, whoever wrote it. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Body, SeenEvent } from './api.ts'
import { specOf } from './operations.ts'

/** Checks the whole story of a collection, told by a watch that was never cut. */
export class EventRules {
  readonly #last = new Map<string, Body>()
  readonly #gone = new Set<string>()
  /** Every state there was, by version. */
  readonly states = new Map<string, Body>()

  take({ type, object }: SeenEvent): void {
    const { uid, resourceVersion } = object.metadata
    assert.ok(!this.#gone.has(uid), `${object.metadata.name} came back with the uid of an object that was deleted`)
    const before = this.#last.get(uid)
    if (before) checkStep(before, object, type)
    else checkBirth(object)
    this.#last.set(uid, object)
    this.states.set(resourceVersion, object)
    if (type !== 'DELETED') return
    assert.deepEqual(object.metadata.finalizers ?? [], [], 'an object that is held was deleted')
    this.#gone.add(uid)
  }

  isGone(uid: string): boolean {
    return this.#gone.has(uid)
  }
}

function checkBirth({ kind, metadata }: Body): void {
  assert.equal(metadata.generation, kind === 'Widget' ? 1 : undefined)
  assert.equal(metadata['deletionTimestamp'], undefined)
}

function checkStep(before: Body, after: Body, type: string): void {
  const story = `${JSON.stringify(before)} then ${type} ${JSON.stringify(after)}`
  const old = before.metadata
  const now = after.metadata
  assert.equal(now['creationTimestamp'], old['creationTimestamp'], story)
  assert.equal(now.name, old.name, story)
  const isFirstDelete = old['deletionTimestamp'] === undefined && now['deletionTimestamp'] !== undefined
  if (old['deletionTimestamp'] !== undefined) {
    assert.equal(now['deletionTimestamp'], old['deletionTimestamp'], `deletion was taken back: ${story}`)
    // Another delete may still change its mind about dependents.
    const held = new Set([...(old.finalizers ?? []), 'orphan', 'foregroundDeletion'])
    assert.ok(
      (now.finalizers ?? []).every(one => held.has(one)),
      `a finalizer joined too late: ${story}`,
    )
  }
  const isChanged = !isDeepStrictEqual(specOf(before), specOf(after))
  const grows = old.generation !== undefined && type !== 'DELETED' && (isChanged || isFirstDelete)
  const expected = old.generation === undefined ? undefined : old.generation + (grows ? 1 : 0)
  assert.equal(now.generation, expected, `generation: ${story}`)
}
