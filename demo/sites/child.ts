/** A process that says on standard output where it can be reached. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Child {
  readonly url: string
  /** Resolves when it is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** @param onProblem told of every line of standard error, and of an end that nobody asked for */
export async function startChild(args: readonly string[], onProblem: (text: string) => void): Promise<Child> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const strike = () => child.kill('SIGKILL')
  process.once('exit', strike)
  let isExpected = false
  const told: string[] = []
  createInterface({ input: child.stderr }).on('line', line => {
    told.push(line)
    onProblem(line)
  })
  child.once('exit', (code, signal) => {
    process.off('exit', strike)
    if (!isExpected) onProblem(`${args.join(' ')} ended with ${code ?? signal}`)
  })
  const url = await urlOf(child, onProblem)
  if (url === undefined) throw new Error(`${args.join(' ')} did not start: ${told.join(' ')}`)
  return {
    url,
    end: async signal => {
      isExpected = true
      await ended(child, signal)
    },
  }
}

/** Of the first line of output that has one. What is written after it is dropped, but for errors. */
async function urlOf(child: ChildProcess, onProblem: (text: string) => void): Promise<string | undefined> {
  if (!child.stdout) return undefined
  const lines = createInterface({ input: child.stdout })
  const found = Promise.withResolvers<string | undefined>()
  lines.on('line', line => {
    const url = /"url":"(?<url>[^"]+)"/.exec(line)?.groups?.['url']
    if (url !== undefined) found.resolve(url)
    if (/^\{"level":("error"|50)\b/.test(line)) onProblem(line)
  })
  lines.once('close', () => found.resolve(undefined))
  return await found.promise
}

async function ended(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
