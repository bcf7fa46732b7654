/** Which Event an occurrence belongs to: a repetition counts up, and a flood of wordings becomes one. Pure but for its memory. */
import type { KubeObject } from './object.ts'

export interface EventInput {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  /** One word in CamelCase: machines group by it. */
  readonly reason: string
  /** For people; never with secrets. */
  readonly message: string
  readonly action?: string
}

/** One Event of the API server and what is to be written into it. */
export interface EventSeries {
  readonly input: EventInput
  readonly firstAt: number
  message: string
  lastAt: number
  count: number
  /** What the server has; 0 when it does not exist yet. */
  writtenCount: number
  writtenAt: number
  name: string | undefined
}

/** Series that are remembered; the one unused for longest is forgotten first. */
const MAX_SERIES = 2048
/** A repetition after this begins a new series. */
const SERIES_MS = 10 * 60_000
/** Wordings of one reason of one object within that time that get an Event of their own. */
const MAX_WORDINGS = 10
const MAX_MESSAGE_CHARS = 1024

interface Wordings {
  readonly since: number
  readonly messages: Set<string>
}

export class EventLedger {
  readonly #series = new Map<string, EventSeries>()
  readonly #wordings = new Map<string, Wordings>()

  /** Counts an occurrence; returns the series it belongs to. */
  note(input: EventInput, now: number): EventSeries {
    const group = JSON.stringify(identityOf(input))
    const isFlood = this.#isFlood(group, input.message, now)
    const message = (isFlood ? `(and similar) ${input.message}` : input.message).slice(0, MAX_MESSAGE_CHARS)
    const key = isFlood ? group : `${group}${input.message}`
    const known = this.#series.get(key)
    const isCurrent = known && now - known.lastAt < SERIES_MS
    const series = isCurrent
      ? known
      : {
          input: withoutContent(input),
          firstAt: now,
          message,
          lastAt: now,
          count: 0,
          writtenCount: 0,
          writtenAt: 0,
          name: undefined,
        }
    series.count += 1
    series.lastAt = now
    series.message = message
    touch(this.#series, key, series)
    return series
  }

  /** Those with occurrences that the server does not know of. */
  unwritten(): EventSeries[] {
    return [...this.#series.values()].filter(series => series.count > series.writtenCount)
  }

  #isFlood(group: string, message: string, now: number): boolean {
    const known = this.#wordings.get(group)
    const wordings = known && now - known.since < SERIES_MS ? known : { since: now, messages: new Set<string>() }
    if (wordings.messages.size < MAX_WORDINGS) wordings.messages.add(message)
    touch(this.#wordings, group, wordings)
    return !wordings.messages.has(message)
  }
}

function identityOf({ regarding, type, reason }: EventInput) {
  const { apiVersion, kind, metadata } = regarding
  return [apiVersion, kind, metadata.namespace ?? '', metadata.name, metadata.uid ?? '', type, reason]
}

/** Series are kept for a while; the objects they regard may be large. */
function withoutContent({ regarding: { apiVersion, kind, metadata }, ...input }: EventInput): EventInput {
  const { name, namespace, uid, resourceVersion } = metadata
  const kept = { ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }
  return { ...input, regarding: { apiVersion, kind, metadata: { name, ...kept } } }
}

/** Keeps the order of last use, and the bound. */
function touch<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= MAX_SERIES) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
