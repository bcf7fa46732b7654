import { type Clock, sleep } from '@godwit/ports'
import type { KubeClient } from './client.ts'
import { isForbidden } from './errors.ts'
import { isReleased, type Lease } from './leader-lease.ts'
import type { Ref } from './object.ts'
import { resources } from './resource.ts'

export interface LeaseWatchOptions {
  readonly client: Pick<KubeClient, 'watch'>
  readonly lease: Required<Ref>
  readonly clock: Clock
  /** Between a watch that broke and the next. */
  readonly pauseMs: number
}

/**
 * Wakes a candidate as soon as the lease is released or deleted. A short cut only: candidates look at the lease
 * from time to time anyway, and do without where they may not watch.
 */
export class LeaseWatch {
  readonly #options: LeaseWatchOptions
  readonly #stopping = new AbortController()
  #wake: () => void = () => undefined
  #version = ''
  #running: Promise<void> | undefined

  constructor(options: LeaseWatchOptions) {
    this.#options = options
  }

  /** Waits for `delayMs`, or less when the lease becomes free after the state that was seen. */
  async wait(seen: Lease | undefined, delayMs: number, signal: AbortSignal): Promise<void> {
    this.#version = seen?.metadata.resourceVersion ?? this.#version
    if (this.#version !== '') this.#running ??= this.#run()
    const awake = new AbortController()
    this.#wake = () => awake.abort()
    signal.addEventListener('abort', this.#wake, { once: true })
    if (signal.aborted) awake.abort()
    await sleep(this.#options.clock, delayMs, awake.signal)
    signal.removeEventListener('abort', this.#wake)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, pauseMs } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#follow()
      } catch (error) {
        if (isForbidden(error)) return
      }
      await sleep(clock, pauseMs, signal)
    }
  }

  async #follow(): Promise<void> {
    const { client, lease } = this.#options
    const events = client.watch<Lease>(resources.leases, {
      namespace: lease.namespace,
      fieldSelector: `metadata.name=${lease.name}`,
      resourceVersion: this.#version,
      signal: this.#stopping.signal,
    })
    for await (const event of events)
      if (event.type !== 'BOOKMARK' && (event.type === 'DELETED' || isReleased(event.object))) this.#wake()
  }
}
