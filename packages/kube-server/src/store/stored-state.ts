import type { KubeObject } from '../api/object.ts'
import type { ObjectKey, Stored } from './types.ts'

/**
 * A state that always holds its JSON, and its parsed object only while that is worth the memory: newest states keep
 * it, states that live on in the history alone are parsed again when somebody asks.
 */
export class StoredState implements Stored {
  readonly key: ObjectKey
  readonly version: number
  readonly json: string
  #object: KubeObject | undefined
  #isSuperseded = false

  constructor(key: ObjectKey, version: number, json: string, object?: KubeObject) {
    this.key = key
    this.version = version
    this.json = json
    this.#object = object
  }

  get object(): KubeObject {
    if (this.#object) return this.#object
    const parsed: KubeObject = deepFreeze(JSON.parse(this.json))
    if (!this.#isSuperseded) this.#object = parsed
    return parsed
  }

  /** Called once a newer state is visible: forgets the parsed object. */
  supersede(): void {
    this.#isSuperseded = true
    this.#object = undefined
  }
}

/** The state made from `object` at `version`; freezes the caller's object except for its top and its metadata, which are copied. */
export function stateAt(key: ObjectKey, version: number, object: KubeObject): StoredState {
  const next: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
  return new StoredState(key, version, JSON.stringify(next), deepFreeze(next))
}

/** Stops at what is frozen already: the parts shared with the state before. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
