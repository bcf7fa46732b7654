/** Runs test files with node's own runner, each in a process of its own, and reports on them. */
import { join } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Outcome, Report } from './report.ts'

export interface RunRequest {
  readonly root: string
  /** Relative to the root. */
  readonly files: readonly string[]
  /** Patterns of test names; none means every test. */
  readonly names: readonly string[]
  /** How many files run at once. */
  readonly concurrency: number
  /** After this long everything still running is stopped and counts as failed. */
  readonly limitMs: number
  readonly write: (text: string) => void
}

const preloads = ['./limit.ts', './fixed-seed.ts'].map(file => fileURLToPath(new URL(file, import.meta.url)))

/** Resolves when the last file has ended; failures are in the outcome, never thrown. */
export async function runFiles(request: RunRequest): Promise<Outcome> {
  const root = request.root.replace(/\/$/, '')
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), request.limitMs)
  const report = new Report({ root, write: request.write, mayBeEmpty: request.names.length > 0 })
  const events = run({
    cwd: root,
    files: request.files.map(path => join(root, path)),
    concurrency: request.concurrency,
    signal: abort.signal,
    execArgv: preloads.flatMap(path => ['--import', path]),
    testNamePatterns: request.names.map(name => new RegExp(name)),
  })
  for await (const event of events) report.add(event)
  clearTimeout(timer)
  if (abort.signal.aborted)
    request.write(`\nthe whole run took longer than ${request.limitMs / 60_000} min and was stopped\n`)
  return report.close()
}
