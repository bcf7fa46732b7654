/** One watch: initial objects or history, then live events, bookmarks, and an end. */
import type { Cancel } from '@godwit/ports'
import type { JsonObject, KubeObject } from '../api/object.ts'
import type { WatchSink } from '../http/message.ts'
import type { Representation } from '../http/negotiate.ts'
import { type Stored, type StoreEvent, VersionExpired } from '../store/index.ts'
import { type RowObject, table } from '../table/table.ts'
import type { Call, Core } from './call.ts'
import { type EventLineCache, type EventLines, eventLine, type WatchType } from './event-lines.ts'
import { Outbox } from './outbox.ts'
import { type ListOptions, versionNumber } from './query.ts'
import { selectorOf } from './read.ts'
import { type Matches, selectedName } from './selectors.ts'
import { checkWatchOptions, expired } from './versions.ts'

const bookmarkEveryMs = 60_000
const minTimeoutMs = 30 * 60_000
/** Rights are asked for when a watch begins: whoever lost them, or whose token ended, is found out within the hour. */
const maxTimeoutMs = 60 * 60_000

export interface WatchRequest {
  readonly call: Call
  readonly options: ListOptions
  readonly representation: Representation
  readonly include: RowObject
  readonly lines: EventLineCache
}

interface Start {
  /** Show what is there first. */
  readonly fromState: boolean
  /** Else: the version after which events are wanted; undefined for those to come. */
  readonly after: number | undefined
}

/** Checks the request (throws 4xx) and returns the function that starts the stream. */
export function prepareWatch(core: Core, request: WatchRequest): (sink: WatchSink) => () => void {
  const { call, options } = request
  checkWatchOptions(options)
  const matches = selectorOf(call, options)
  const start = startOf(options)
  return sink => {
    const stream = new WatchStream(core, request, matches, sink)
    stream.start(start)
    return () => stream.stop()
  }
}

function startOf({ resourceVersion, sendInitialEvents }: ListOptions): Start {
  const version = versionNumber(resourceVersion)
  const isAny = version === undefined || version === 0
  if (sendInitialEvents === undefined) return { fromState: isAny, after: version }
  return { fromState: sendInitialEvents, after: isAny ? undefined : version }
}

class WatchStream {
  readonly #core: Core
  readonly #request: WatchRequest
  readonly #matches: Matches | undefined
  readonly #outbox: Outbox
  readonly #lines: EventLines
  readonly #name: string | undefined
  readonly #cancels: Cancel[] = []
  #hasShownColumns = false
  #hasStopped = false

  constructor(core: Core, request: WatchRequest, matches: Matches | undefined, sink: WatchSink) {
    this.#core = core
    this.#request = request
    this.#matches = matches
    this.#outbox = new Outbox(sink)
    this.#lines = request.lines.of(request.call.resource, request.representation)
    this.#name = selectedName(request.options.fieldSelector)
  }

  start(start: Start): void {
    const { store, registry } = this.#core
    const { resource } = this.#request.call
    try {
      const after = start.fromState ? this.#replayState() : start.after
      if (after !== undefined && after < resource.historyStart) throw new VersionExpired(after, resource.historyStart)
      this.#cancels.push(store.watch(resource.collection, after, event => this.#onEvent(event)))
    } catch (error) {
      if (!(error instanceof VersionExpired)) throw error
      this.#fail(error.message)
      return
    }
    // Leaving a resource that is no longer served (or served with another schema) lets clients look again.
    this.#cancels.push(
      registry.onChange(() => {
        if (registry.find(resource.group, resource.version, resource.plural) !== resource) this.#finish()
      }),
    )
    this.#arm()
  }

  stop(): void {
    if (this.#hasStopped) return
    this.#hasStopped = true
    this.#outbox.close()
    for (const cancel of this.#cancels) cancel()
  }

  /** Everything there is, as ADDED events; returns the version it shows. */
  #replayState(): number {
    const { call, options } = this.#request
    const { resource, namespace } = call
    const { version } = this.#core.store
    const name = this.#name
    if (name !== undefined && namespace !== '') {
      const stored = this.#core.store.get({ collection: resource.collection, namespace, name })
      if (stored && this.#isMatch(stored)) this.#outbox.replay(this.#line('ADDED', stored))
    } else
      for (const stored of this.#core.store.scan(resource.collection, namespace || undefined))
        if (this.#isMatch(stored)) this.#outbox.replay(this.#line('ADDED', stored))
    if (options.sendInitialEvents && options.allowWatchBookmarks)
      this.#bookmark({ 'k8s.io/initial-events-end': 'true' })
    return version
  }

  #onEvent(event: StoreEvent): void {
    const { stored, previous } = event
    const { namespace } = this.#request.call
    if (namespace !== '' && stored.key.namespace !== namespace) return
    if (this.#name !== undefined && stored.key.name !== this.#name) return
    if (!this.#matches) {
      this.#outbox.push(this.#line(event.type, stored))
      return
    }
    const didMatch = previous !== undefined && this.#isMatch(previous)
    if (event.type === 'DELETED') {
      if (didMatch) this.#outbox.push(this.#line('DELETED', stored))
      return
    }
    const doesMatch = this.#isMatch(stored)
    if (doesMatch) this.#outbox.push(this.#line(didMatch ? 'MODIFIED' : 'ADDED', stored))
    else if (didMatch && previous) this.#outbox.push(this.#leftLine(previous, event.version))
  }

  #isMatch(stored: Stored): boolean {
    return !this.#matches || this.#matches(this.#request.call.resource.view(stored).object)
  }

  #line(type: WatchType, stored: Stored): Buffer {
    if (this.#request.representation.as !== 'table') return this.#lines.line(type, stored)
    return this.#tableLine(type, this.#request.call.resource.view(stored).object)
  }

  #leftLine(previous: Stored, version: number): Buffer {
    if (this.#request.representation.as !== 'table') return this.#lines.leftLine(previous, version)
    const { object } = this.#request.call.resource.view(previous)
    return this.#tableLine('DELETED', {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(version) },
    })
  }

  /** Ages depend on now and the first event carries the columns, so tables cannot be shared. */
  #tableLine(type: WatchType, object: KubeObject): Buffer {
    const { call, representation, include } = this.#request
    const columns = !this.#hasShownColumns
    this.#hasShownColumns = true
    const { resourceVersion } = object.metadata
    const options = {
      metaVersion: representation.metaVersion,
      include,
      nowMs: this.#core.clock.now(),
      metadata: { resourceVersion },
      columns,
    }
    return eventLine(type, JSON.stringify(table(call.resource, [object], options)))
  }

  #arm(): void {
    const { clock, random } = this.#core
    const { timeoutSeconds, allowWatchBookmarks } = this.#request.options
    const asked = timeoutSeconds !== undefined && timeoutSeconds > 0 ? timeoutSeconds * 1000 : undefined
    const timeoutMs = asked ?? minTimeoutMs * (1 + random.next())
    this.#cancels.push(clock.after(Math.min(timeoutMs, maxTimeoutMs), () => this.#finish()))
    if (allowWatchBookmarks) this.#armBookmark()
  }

  #armBookmark(): void {
    const cancel = this.#core.clock.after(bookmarkEveryMs, () => {
      this.#cancels.splice(this.#cancels.indexOf(cancel), 1)
      this.#bookmark()
      this.#armBookmark()
    })
    this.#cancels.push(cancel)
  }

  /** Everything up to the store's version has gone into the outbox, so the version is safe to go on from. */
  #bookmark(annotations?: JsonObject): void {
    const { call, representation } = this.#request
    const { resource } = call
    const object = {
      kind: resource.kind,
      apiVersion: resource.apiVersion,
      metadata: {
        resourceVersion: String(this.#core.store.version),
        creationTimestamp: null,
        ...(annotations && { annotations }),
      },
    }
    if (representation.as === 'table') {
      const metadata = { resourceVersion: object.metadata.resourceVersion }
      const options = {
        metaVersion: representation.metaVersion,
        include: 'None' as const,
        nowMs: 0,
        metadata,
        columns: false,
      }
      const bookmark = { ...table(resource, [], options), rows: [{ cells: [], object }] }
      this.#outbox.push(eventLine('BOOKMARK', JSON.stringify(bookmark)))
    } else this.#outbox.push(eventLine('BOOKMARK', JSON.stringify(object)))
  }

  #finish(): void {
    if (this.#hasStopped) return
    if (this.#request.options.allowWatchBookmarks) this.#bookmark()
    this.#outbox.end()
  }

  #fail(message: string): void {
    this.#outbox.push(eventLine('ERROR', JSON.stringify(expired(message).toStatus())))
    this.#outbox.end()
  }
}
