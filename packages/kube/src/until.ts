import type { Informer } from './informer.ts'
import type { KubeObject } from './object.ts'

/** Resolves once `holds` is true of the informer's cache, looked at after each change; rejects when `signal` aborts. */
export function until<T extends KubeObject>(
  informer: Informer<T>,
  holds: (informer: Informer<T>) => boolean,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!holds(informer)) return
      finish()
      resolve()
    }
    const abort = () => {
      finish()
      reject(signal.reason)
    }
    const off = informer.onChange(look)
    const finish = () => {
      off()
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    else look()
  })
}
