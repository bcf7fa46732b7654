import type { Informer } from './informer.ts'
import type { KubeObject } from './object.ts'

/** A wait has an end: a signal, or a time. */
export type Bound = AbortSignal | { readonly timeoutMs: number }

/**
 * Resolves once the informer has synced and `holds` is true of its cache; looks again after each change. Rejects with
 * the signal's reason, with a TimeoutError when the time is over, or with what `holds` throws.
 */
export function until<T extends KubeObject>(
  informer: Informer<T>,
  holds: (informer: Informer<T>) => boolean,
  bound: Bound,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const ended = new AbortController()
  const look = () => {
    if (ended.signal.aborted || !informer.hasSynced()) return
    try {
      if (holds(informer)) resolve()
    } catch (error) {
      reject(error)
    }
  }
  const leave = [informer.onChange(look, { replay: false }), endOf(informer, bound, reject)]
  informer.synced(ended.signal).then(look)
  return promise.finally(() => {
    ended.abort()
    for (const off of leave) off()
  })
}

function endOf<T extends KubeObject>(
  informer: Informer<T>,
  bound: Bound,
  reject: (reason: unknown) => void,
): () => void {
  if (!(bound instanceof AbortSignal)) {
    const over = () => reject(new DOMException(`not so within ${bound.timeoutMs} ms`, 'TimeoutError'))
    return informer.clock.after(bound.timeoutMs, over)
  }
  const abort = () => reject(bound.reason)
  if (bound.aborted) abort()
  bound.addEventListener('abort', abort, { once: true })
  return () => bound.removeEventListener('abort', abort)
}
