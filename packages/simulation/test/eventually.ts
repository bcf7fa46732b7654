import { sleep, systemClock } from '@godwit/ports'

const POLL_MS = 10
/** Generous: the machine may be busy with anything. */
const LIMIT_MS = 60_000

/** Waits for a fact. Fails with the last answer when it does not come true in a minute. */
export async function eventually(
  what: string,
  isTrue: () => Promise<boolean> | boolean,
  explain?: () => unknown,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += POLL_MS) {
    if (await isTrue()) return
    await sleep(systemClock, POLL_MS)
  }
  throw new Error(`never: ${what} ${explain ? JSON.stringify(explain(), undefined, 2) : ''}`)
}
