/**
 * The server under measurement, a process of its own: `node server-program.ts [FOLDER]`, in memory without a folder.
 * Tells its parent when it answers, and on request what it costs.
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { KubeServer } from '../../src/index.ts'

/** What the parent may ask. */
export type Question =
  | { readonly ask: 'reset' }
  | { readonly ask: 'figures' }
  | { readonly ask: 'profile' }
  | { readonly ask: 'profiled'; readonly file: string }

export interface Ready {
  readonly url: string
  /** Milliseconds from the start of the process to the call, and of the call itself. */
  readonly importMs: number
  readonly startMs: number
}

export interface Figures {
  /** Longest time since the last reset in which the event loop did nothing else. */
  readonly longestBlockMs: number
  readonly rssBytes: number
  readonly heapBytes: number
  /** Processor time since the last reset: says more than a rate on a machine that is shared. */
  readonly cpuMs: number
}

const RESOLUTION_MS = 1
const folder = process.argv[2]
const importMs = performance.now()
const server = await KubeServer.start(folder === undefined ? {} : { storage: { folder } })
const ready: Ready = { url: server.url, importMs, startMs: performance.now() - importMs }
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
let cpuBefore = process.cpuUsage()
const session = new Session()
session.connect()

async function answer(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'reset':
      delay.reset()
      cpuBefore = process.cpuUsage()
      return true
    case 'figures':
      return figures()
    case 'profile':
      await session.post('Profiler.enable')
      await session.post('Profiler.start')
      return true
    case 'profiled': {
      const { profile } = await session.post('Profiler.stop')
      writeFileSync(question.file, JSON.stringify(profile))
      return true
    }
  }
}

function figures(): Figures {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage(cpuBefore)
  const longestBlockMs = Math.max(0, delay.max / 1e6 - RESOLUTION_MS)
  return { longestBlockMs, rssBytes: rss, heapBytes: heapUsed, cpuMs: (user + system) / 1000 }
}

process.on('message', (question: Question) => void answer(question).then(reply => process.send?.(reply)))
process.on('disconnect', () => void server.stop().then(() => process.exit()))
process.send?.(ready)
