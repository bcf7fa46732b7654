import type { Clock } from '@godwit/ports'
import { type Call, type Caller, noAnswer } from './caller.ts'
import { isRecord, type Json, parseJson } from './json.ts'
import type { KubeObject } from './object.ts'
import { statusFailure, unexpected } from './status.ts'

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

/** A server that outlives its own time limit by this much is not coming back. */
const GRACE_MS = 30_000

/**
 * Events of one opened watch. Ends when the server ends it, when its time is over, or when `call.signal` aborts.
 * Throws a KubeError when it cannot be opened, breaks, carries an ERROR event (its Status) or something unreadable.
 */
export async function* watchEvents<T extends KubeObject>(
  caller: Caller,
  call: Call,
  limit: { readonly clock: Clock; readonly timeoutSeconds: number },
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const over = new AbortController()
  // A text, and not the error it would be given: nobody reads that, and its stack costs more than the rest.
  const stop = () => over.abort('over')
  const cancel = limit.clock.after(limit.timeoutSeconds * 1000 + GRACE_MS, stop)
  if (call.signal?.aborted) stop()
  call.signal?.addEventListener('abort', stop, { once: true })
  try {
    const response = await caller.open({ ...call, stream: true, signal: over.signal })
    for await (const line of response.lines()) {
      if (over.signal.aborted) return
      const event = line === '' ? undefined : parseEvent<T>(call, line)
      if (event) yield event
    }
  } catch (error) {
    if (over.signal.aborted) return
    throw noAnswer(call, error)
  } finally {
    cancel()
    call.signal?.removeEventListener('abort', stop)
    stop()
  }
}

/** Undefined for a type of event that is not known: later servers may have more. */
function parseEvent<T extends KubeObject>(call: Call, line: string): WatchEvent<T> | undefined {
  const event = parseJson(line)
  const object = isRecord(event) ? event['object'] : undefined
  if (!isRecord(event) || !isRecord(object)) throw unexpected(call, 200, 'an event of the watch cannot be read')
  switch (event['type']) {
    case 'ERROR':
      throw statusFailure(call, object)
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: versionOf(call, object['metadata']) }
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      versionOf(call, object['metadata'])
      if (!isNamed(object['metadata'])) throw unexpected(call, 200, 'an event of the watch has no name')
      return { type: event['type'], object: object as unknown as T }
    default:
      return undefined
  }
}

const isNamed = (metadata: Json | undefined) => isRecord(metadata) && typeof metadata['name'] === 'string'

function versionOf(call: Call, metadata: Json | undefined): string {
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined
  if (typeof version !== 'string') throw unexpected(call, 200, 'an event of the watch has no resourceVersion')
  return version
}
