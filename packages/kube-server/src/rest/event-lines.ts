/**
 * Watch events as lines of text, each made once and shared by all watchers of one resource version and representation.
 */
import type { KubeObject } from '../api/object.ts'
import type { Representation } from '../http/negotiate.ts'
import type { Resource, View } from '../registry/resource.ts'
import type { Stored } from '../store/types.ts'
import { partialMetadata } from '../table/table.ts'

export type WatchType = 'ADDED' | 'MODIFIED' | 'DELETED'

type Lines = { [type in WatchType]?: Buffer }

/**
 * States whose lines are kept. All watchers hear of an event in the same turn, so the newest few suffice; keeping them
 * as long as their state would hold every object of the store twice.
 */
const KEPT_STATES = 64

/** Lines of one resource in one representation. */
export class EventLines {
  readonly #resource: Resource
  readonly #write: (view: View) => string
  readonly #lines = new Map<Stored, Lines>()

  constructor(resource: Resource, representation: Representation) {
    this.#resource = resource
    const { metaVersion } = representation
    this.#write =
      representation.as === 'metadata'
        ? view => JSON.stringify(partialMetadata(view.object, metaVersion))
        : view => view.json
  }

  line(type: WatchType, stored: Stored): Buffer {
    let known = this.#lines.get(stored)
    if (!known) {
      known = {}
      this.#lines.set(stored, known)
      const [oldest] = this.#lines.keys()
      if (this.#lines.size > KEPT_STATES && oldest) this.#lines.delete(oldest)
    }
    known[type] ??= eventLine(type, this.#write(this.#resource.view(stored)))
    return known[type]
  }

  /** An object that stopped matching: its previous content with the version of the change. */
  leftLine(previous: Stored, version: number): Buffer {
    const view = this.#resource.view(previous)
    const object: KubeObject = {
      ...view.object,
      metadata: { ...view.object.metadata, resourceVersion: String(version) },
    }
    return eventLine('DELETED', this.#write({ object, json: JSON.stringify(object) }))
  }
}

export function eventLine(type: string, objectJson: string): Buffer {
  return Buffer.from(`{"type":"${type}","object":${objectJson}}\n`)
}

/** Finds the shared lines of a resource; forgets them together with the resource. */
export class EventLineCache {
  readonly #byResource = new WeakMap<Resource, Map<string, EventLines>>()

  of(resource: Resource, representation: Representation): EventLines {
    let known = this.#byResource.get(resource)
    if (!known) {
      known = new Map()
      this.#byResource.set(resource, known)
    }
    const name = `${representation.as}/${representation.metaVersion}`
    let lines = known.get(name)
    if (!lines) {
      lines = new EventLines(resource, representation)
      known.set(name, lines)
    }
    return lines
  }
}
