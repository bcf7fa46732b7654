import type { Clock } from '@godwit/ports'
import type { Caller } from './caller.ts'
import { isNotFound } from './errors.ts'
import { isRecord, type Json } from './json.ts'
import { groupVersionPath, type Resource, resourceName } from './resource.ts'

/** How long "served" is believed. A kind that has gone shows itself by 404 anyway. */
const SERVED_FOR_MS = 60_000
/** How long "not served" is believed: short, because kinds are installed while one waits for them. */
const NOT_SERVED_FOR_MS = 2_000

/** Answers whether a server knows a resource; asks once a group version, and forgets after a bounded time. */
export class Discovery {
  readonly #caller: Caller
  readonly #clock: Clock
  readonly #groupVersions = new Map<string, { readonly askedAt: number; readonly plurals: Promise<Set<string>> }>()

  constructor(caller: Caller, clock: Clock) {
    this.#caller = caller
    this.#clock = clock
  }

  async serves(resource: Resource): Promise<boolean> {
    const path = groupVersionPath(resource)
    const known = this.#groupVersions.get(path)
    const ageMs = known ? Math.abs(this.#clock.now() - known.askedAt) : Number.POSITIVE_INFINITY
    if (known && ageMs < SERVED_FOR_MS) {
      const isServed = (await known.plurals).has(resource.plural)
      if (isServed || ageMs < NOT_SERVED_FOR_MS) return isServed
    }
    const plurals = this.#ask(path, resourceName(resource))
    this.#groupVersions.set(path, { askedAt: this.#clock.now(), plurals })
    // A failure is the asker's to handle, and must not be remembered as an answer.
    plurals.catch(() => this.#groupVersions.delete(path))
    return (await plurals).has(resource.plural)
  }

  async #ask(path: string, resource: string): Promise<Set<string>> {
    try {
      return pluralsOf(await this.#caller.json({ verb: 'discover', resource, method: 'GET', path }))
    } catch (error) {
      if (isNotFound(error)) return new Set()
      throw error
    }
  }
}

function pluralsOf(answer: Json): Set<string> {
  const listed = isRecord(answer) && Array.isArray(answer['resources']) ? answer['resources'] : []
  return new Set(listed.flatMap(entry => (isRecord(entry) && typeof entry['name'] === 'string' ? [entry['name']] : [])))
}
