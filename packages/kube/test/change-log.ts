import assert from 'node:assert/strict'
import { type Change, compareVersions, type KubeObject, keyOf } from '../src/index.ts'

/** A handler that checks what it is told against what it was told before, and keeps the state that follows from it. */
export class ChangeLog<T extends KubeObject> {
  readonly changes: Change<T>[] = []
  readonly state = new Map<string, T>()
  /** What was wrong: collected, because an informer rightly swallows what its handlers throw. */
  readonly complaints: string[] = []

  readonly handle = (change: Change<T>): void => {
    this.changes.push(change)
    try {
      this.#check(change)
    } catch (error) {
      this.complaints.push(error instanceof Error ? error.message : String(error))
    }
    const key = keyOf(change.object.metadata)
    if (change.type === 'deleted') this.state.delete(key)
    else this.state.set(key, change.object)
  }

  /** `added a`, `updated a` … */
  lines(): string[] {
    return this.changes.map(({ type, object }) => `${type} ${object.metadata.name}`)
  }

  #check({ type, object, previous }: Change<T>): void {
    const key = keyOf(object.metadata)
    const known = this.state.get(key)
    if (type === 'added') assert.equal(known, undefined, `${key} was added twice`)
    else assert.ok(known !== undefined && previous === known, `${type} ${key}: previous is not what was told last`)
    if (!known || type === 'added') return
    assert.equal(object.metadata.uid, known.metadata.uid, `${type} ${key}: another object`)
    const order = compareVersions(object.metadata.resourceVersion, known.metadata.resourceVersion) ?? 0
    if (type === 'updated') assert.ok(order > 0, `${key} went back in version`)
  }
}
