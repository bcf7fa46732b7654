import { type Clock, sleep } from '@godwit/ports'

/** Asked before each request; resolves when it may be sent. */
export interface Limiter {
  take(signal?: AbortSignal): Promise<void>
}

export interface RateLimit {
  readonly clock: Clock
  readonly perSecond: number
  /** Requests that may go at once after a quiet time. */
  readonly burst: number
}

/** A token bucket that serves in order of arrival. */
export function rateLimiter({ clock, perSecond, burst }: RateLimit): Limiter {
  let tokens = burst
  let filledAt = clock.now()
  return {
    async take(signal) {
      const now = clock.now()
      // A clock that was set back adds nothing, and must not take anything away.
      tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1000) * perSecond)
      filledAt = now
      tokens -= 1
      if (tokens < 0) await sleep(clock, (-tokens / perSecond) * 1000, signal)
    },
  }
}
