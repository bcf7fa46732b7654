import type { Clock } from './clock.ts'

/** What the machine's timers can hold; a longer delay would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's clock and timers. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after(delayMs: number, run: () => void) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number) => {
      const partMs = Math.min(leftMs, MAX_TIMER_MS)
      timer = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : run()), partMs)
    }
    wait(Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
})
