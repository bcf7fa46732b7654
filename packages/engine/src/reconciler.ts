import { Retryable, Terminal } from '@godwit/core'
import type { Logger } from '@godwit/ports'
import type { KeyedQueue } from './keyed-queue.ts'

/** What a pass asks for: look again after `afterMs`, or only when something changes. */
export interface PassResult {
  readonly afterMs?: number
}

export interface ReconcilerOptions {
  readonly queue: KeyedQueue
  /** One level-based pass over one key: observe, decide, persist, perform. */
  readonly pass: (key: string) => Promise<PassResult>
  readonly workers: number
  readonly logger: Logger
}

/**
 * Runs passes until `signal` aborts. A pass that throws is retried with a growing delay; it can never end the loop,
 * and never delays other keys.
 */
export async function reconcile(options: ReconcilerOptions, signal: AbortSignal): Promise<void> {
  const close = () => options.queue.close()
  signal.addEventListener('abort', close, { once: true })
  if (signal.aborted) close()
  await Promise.all(Array.from({ length: options.workers }, () => work(options)))
  signal.removeEventListener('abort', close)
}

async function work({ queue, pass, logger }: ReconcilerOptions): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      const { afterMs } = await pass(key)
      queue.done(key)
      if (afterMs !== undefined) queue.addAfter(key, afterMs)
    } catch (error) {
      const atLeastMs = error instanceof Retryable ? error.afterMs : undefined
      const delayMs = queue.retry(key, atLeastMs)
      const code = error instanceof Terminal ? error.code : undefined
      logger.warn({ key, code, retryInMs: Math.round(delayMs), error: String(error) }, 'pass failed, will look again')
    }
  }
}
