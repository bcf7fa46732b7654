/** Drives a virtual clock through everything that is due, letting each consequence happen before time goes on. */
import { nextTurn, type VirtualClock } from '@godwit/ports'

/** Turns of the event loop in which nobody did anything, after which nothing more is on its way. */
const QUIET_TURNS = 2

export interface DrivenWorld {
  readonly clock: VirtualClock
  /** Grows with everything that happens. */
  readonly traffic: () => number
  /** False while somebody has work that needs no time. */
  readonly isIdle: () => boolean
  /** Resolves when the servers have nothing to do. */
  readonly serversIdle: () => Promise<void>
}

/** Resolves when nothing happens any more unless time goes on. */
export async function settle({ traffic, isIdle, serversIdle }: DrivenWorld): Promise<void> {
  let seen = traffic()
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    await nextTurn()
    await serversIdle()
    const now = traffic()
    quiet = now === seen && isIdle() ? quiet + 1 : 0
    seen = now
  }
}

/** Lets `byMs` go by. `onStep` is called after each moment in which something was due; true ends the wait early. */
export async function letTimePass(world: DrivenWorld, byMs: number, onStep?: () => boolean): Promise<void> {
  const { clock } = world
  const endMs = clock.now() + byMs
  for (;;) {
    await settle(world)
    if (onStep?.()) return
    const nextMs = clock.untilNext()
    if (nextMs === undefined || clock.now() + nextMs > endMs) break
    clock.advance(nextMs)
  }
  clock.advance(endMs - clock.now())
  await settle(world)
}
