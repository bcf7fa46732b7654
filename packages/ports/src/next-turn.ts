/**
 * Resolves in the next turn of the event loop: whatever has arrived by now is handled first. It measures no time, so
 * it is the same under a virtual clock.
 */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
