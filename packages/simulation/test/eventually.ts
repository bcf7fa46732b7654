import { sleep, systemClock } from '@godwit/ports'

const POLL_MS = 10
/** Generous: the machine may be busy with anything. */
const LIMIT_MS = 60_000

/** Lets a little time go by. */
export type Pause = () => Promise<void>

const realPause: Pause = () => sleep(systemClock, POLL_MS)
const MAX_PAUSES = LIMIT_MS / POLL_MS

export interface Patience {
  /** What to show when it does not come true. */
  readonly explain?: () => unknown
  readonly pause?: Pause
}

/** Waits for a fact; fails when it does not come true in a minute of real time, or in as many pauses. */
export async function eventually(
  what: string,
  isTrue: () => Promise<boolean> | boolean,
  { explain, pause = realPause }: Patience = {},
): Promise<void> {
  for (let pauses = 0; pauses < MAX_PAUSES; pauses++) {
    if (await isTrue()) return
    await pause()
  }
  throw new Error(`never: ${what} ${explain ? JSON.stringify(explain(), undefined, 2) : ''}`)
}
