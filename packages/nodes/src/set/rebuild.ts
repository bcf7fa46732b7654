/** How often a broken pod is made anew before it is left alone. Pure. */
import { z } from 'zod'

const history = z.record(z.string(), z.object({ count: z.int().min(0), lastDeleted: z.string() }))
export type RebuildHistory = z.infer<typeof history>

/** Rest before the first, second … attempt. */
const WAITS_MS = [0, 1000, 5000, 30_000] as const

/** What is unreadable counts as empty; pods that the spec does not know any more are dropped. */
export function parseHistory(text: string | undefined, podNames: readonly string[]): RebuildHistory {
  try {
    const parsed = history.safeParse(JSON.parse(text ?? '{}'))
    if (!parsed.success) return {}
    return Object.fromEntries(Object.entries(parsed.data).filter(([name]) => podNames.includes(name)))
  } catch {
    return {}
  }
}

/** Milliseconds until the pod may be made anew; undefined: never again for this spec. */
export function rebuildWaitMs(entry: RebuildHistory[string] | undefined, nowMs: number): number | undefined {
  const waitMs = WAITS_MS[entry?.count ?? 0]
  if (waitMs === undefined) return undefined
  return entry ? Math.max(0, Date.parse(entry.lastDeleted) + waitMs - nowMs) : 0
}

export const afterRebuild = (history: RebuildHistory, podName: string, nowMs: number): RebuildHistory => ({
  ...history,
  [podName]: { count: (history[podName]?.count ?? 0) + 1, lastDeleted: new Date(nowMs).toISOString() },
})
