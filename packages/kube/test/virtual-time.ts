import { nextTurn, type VirtualClock } from '@godwit/ports'

/** Lets everything that is ready run. Without sockets, all of it is done after a few turns of the event loop. */
export async function settle(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn()
}

/**
 * Lets virtual time pass, timer by timer, so that what each of them starts is done before the next one fires. What is
 * due at the end is done too, so passing no time at all runs what is due now.
 */
export async function elapse(clock: VirtualClock, byMs: number): Promise<void> {
  const end = clock.now() + byMs
  await settle()
  for (
    let nextMs = clock.untilNext();
    nextMs !== undefined && clock.now() + nextMs <= end;
    nextMs = clock.untilNext()
  ) {
    clock.advance(nextMs)
    await settle()
  }
  clock.advance(end - clock.now())
  await settle()
}

/** Lets virtual time pass until a fact holds; fails when it does not within `limitMs`. */
export async function elapseUntil(clock: VirtualClock, holds: () => boolean, limitMs = 3_600_000): Promise<void> {
  const end = clock.now() + limitMs
  await settle()
  while (!holds()) {
    if (clock.now() >= end) throw new Error('not so in time')
    await elapse(clock, Math.min(clock.untilNext() ?? 1000, end - clock.now()))
  }
}

/** Lets virtual time pass until the promise is settled. */
export async function drive<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const finish = () => {
    isSettled = true
  }
  promise.then(finish, finish)
  await elapseUntil(clock, () => isSettled)
  return await promise
}
