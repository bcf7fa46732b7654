/** Controller and agents as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { agentOf, CONTROLLER, type World } from './world.ts'

const program = fileURLToPath(new URL('../../../cli/bin/godwit.mjs', import.meta.url))
const LEASE_SECONDS = '5'
/** A process with room lets garbage lie; one in a pod of 512 MiB is told how much it has. */
export const NODE_OPTIONS = '--max-old-space-size=384 --max-semi-space-size=4'

export interface Party {
  /** Highest resident size so far, in bytes. */
  readonly peakBytes: number
  /** Resolves with the wall time at which a line with this message was logged. */
  logged(message: string): Promise<number>
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startController(world: World): Promise<Party> {
  return start(['controller', '--kubeconfig', await world.kubeconfig('global', CONTROLLER)])
}

export async function startAgent(world: World, hub: string): Promise<Party> {
  const own = await world.kubeconfig(hub, agentOf(hub))
  const global = await world.kubeconfig('global', agentOf(hub))
  return start(['agent', '--hub', hub, '--kubeconfig', own, '--global-kubeconfig', global])
}

function start(args: readonly string[]): Party {
  const child = spawn(process.execPath, [program, 'hubs', ...args, '--lease-seconds', LEASE_SECONDS], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS },
  })
  const waiting = new Map<string, (atMs: number) => void>()
  createInterface({ input: child.stdout }).on('line', line => {
    const { msg, level } = JSON.parse(line) as { msg?: string; level?: string }
    if (level === 'error') console.error(line)
    waiting.get(msg ?? '')?.(Date.now())
  })
  return {
    get peakBytes() {
      return peakOf(child)
    },
    logged: message => new Promise(resolve => waiting.set(message, resolve)),
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/** Linux tells the peak of a process that runs; elsewhere it is unknown. */
function peakOf({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024
  } catch {
    return Number.NaN
  }
}
