import type { Clock } from './clock.ts'

/** The machine's clock and timers. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after(delayMs: number, run: () => void) {
    const timer = setTimeout(run, Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
})
