/** Runs a program as a check: its exit status is the result, its output the details. */
import { spawn } from 'node:child_process'

export interface Verdict {
  readonly name: string
  readonly problems: readonly string[]
}

export interface Tool {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

/** Never rejects: a program that cannot be started is a failed check. */
export function runTool({ name, command, args }: Tool, cwd: string): Promise<Verdict> {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', error => resolve({ name, problems: [`${command} did not start: ${error.message}`] }))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve({ name, problems: [] })
      const lines = Buffer.concat(output).toString('utf8').trimEnd().split('\n')
      resolve({ name, problems: [...lines, `${command} ended with ${signal ?? `status ${code}`}`] })
    })
  })
}
