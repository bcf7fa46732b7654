/**
 * Turns the events of node's test runner into what people want to read: a dot for each file that passed, everything
 * about each file that failed at once, and the runner's own closing lines.
 */
import { relative } from 'node:path'
import { errorLines, placeOf } from './failure-text.ts'

/** What the report reads of an event of `node:test`; the runner's own types leave most of it open. */
export interface RunEvent {
  readonly type: string
  readonly data: {
    readonly name?: string
    readonly file?: string | undefined
    readonly entryFile?: string
    readonly testId?: number
    readonly parentId?: number
    readonly line?: number
    readonly column?: number
    readonly message?: string
    readonly details?: { readonly error?: unknown; readonly passed?: boolean; readonly type?: string | undefined }
  }
}

export interface Outcome {
  /** Tests that ran to an end, good or bad; suites and files do not count. */
  readonly ran: number
  readonly failedFiles: readonly string[]
}

interface Options {
  readonly root: string
  readonly write: (text: string) => void
  /** A file in which nothing ran is a failure, unless tests were picked by name. */
  readonly mayBeEmpty: boolean
}

const maxOutputLines = 200
/** How a test file says what it could not do here; shown even when it passes. */
const leftOut = /^left out: .*/gim
const dotsPerLine = 100

interface FileState {
  /** Full titles, suites first, by the runner's number of the test. */
  readonly titles: Map<number, string>
  readonly unfinished: Set<number>
  readonly failures: string[]
  readonly output: string[]
  ran: number
}

export class Report {
  readonly #options: Options
  readonly #files = new Map<string, FileState>()
  readonly #failed = new Set<string>()
  readonly #closing: string[] = []
  readonly #leftOut = new Set<string>()
  #ran = 0
  #dots = 0

  constructor(options: Options) {
    this.#options = options
  }

  /** Takes one event, in the order in which the runner gives them. */
  add({ type, data }: RunEvent): void {
    const isFile = data.name !== undefined && data.name === data.file && data.entryFile === undefined
    if (type === 'test:stdout' || type === 'test:stderr') this.#stateOf(data).output.push(data.message ?? '')
    else if (type === 'test:dequeue' && !isFile) this.#enter(data)
    else if (type === 'test:complete' && isFile) this.#finishFile(data)
    else if (type === 'test:complete') this.#leave(data)
    else if (type === 'test:diagnostic' && data.file === undefined) this.#closing.push(`ℹ ${data.message}`)
  }

  /** Prints the closing lines of the runner, the failed files before them. */
  close(): Outcome {
    const { write, root } = this.#options
    this.#endDots()
    const failedFiles = [...this.#failed].map(file => relative(root, file))
    if (failedFiles.length > 0) write(`\nfailed files:\n${failedFiles.map(path => `  ${path}\n`).join('')}`)
    for (const line of this.#leftOut) write(`\n${line}\n`)
    write(`\n${this.#closing.join('\n')}\n`)
    return { ran: this.#ran, failedFiles }
  }

  #enter(data: RunEvent['data']): void {
    const { titles, unfinished } = this.#stateOf(data)
    const id = data.testId ?? 0
    const parent = titles.get(data.parentId ?? 0)
    titles.set(id, parent === undefined ? (data.name ?? '') : `${parent} › ${data.name}`)
    unfinished.add(id)
  }

  #leave(data: RunEvent['data']): void {
    const state = this.#stateOf(data)
    state.unfinished.delete(data.testId ?? 0)
    if (data.details?.passed === false) this.#fail(data)
    if (data.details?.type === 'suite') return
    state.ran += 1
    this.#ran += 1
  }

  #fail(data: RunEvent['data']): void {
    const error = data.details?.error
    if (error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed') return
    const { root } = this.#options
    const { titles, failures } = this.#stateOf(data)
    const title = titles.get(data.testId ?? 0) ?? data.name
    const place = placeOf(data.file, data.line, data.column, root)
    failures.push([`  ✖ ${title}  (${place})`, ...errorLines(error, root).map(line => `      ${line}`), ''].join('\n'))
  }

  #finishFile(data: RunEvent['data']): void {
    const passed = data.details?.passed !== false
    const state = this.#stateOf(data)
    const file = data.file ?? ''
    this.#files.delete(file)
    for (const [line] of state.output.join('').matchAll(leftOut)) this.#leftOut.add(line)
    if (passed && state.failures.length === 0 && (state.ran > 0 || this.#options.mayBeEmpty)) {
      this.#dot()
      return
    }
    this.#failed.add(file)
    const { write, root } = this.#options
    this.#endDots()
    write(`\nFAIL ${relative(root, file)}\n`)
    for (const failure of state.failures) write(`${failure}\n`)
    if (state.ran === 0) write('  no test ran in this file\n')
    if (state.failures.length === 0 && !passed) write(`  ${fileEnd(data.details?.error)}\n`)
    for (const id of state.unfinished) write(`  did not finish: ${state.titles.get(id)}\n`)
    const lines = state.output.join('').trimEnd().split('\n')
    if (lines.length > maxOutputLines) write(`  output (last ${maxOutputLines} of ${lines.length} lines):\n`)
    else if (lines.join('') !== '') write('  output:\n')
    for (const line of lines.slice(-maxOutputLines)) if (line !== '') write(`      ${line}\n`)
  }

  #dot(): void {
    this.#dots += 1
    this.#options.write(this.#dots % dotsPerLine === 0 ? '.\n' : '.')
  }

  #endDots(): void {
    if (this.#dots % dotsPerLine > 0) this.#options.write('\n')
    this.#dots = 0
  }

  #stateOf({ file, entryFile }: RunEvent['data']): FileState {
    const key = entryFile ?? file ?? ''
    const state = this.#files.get(key) ?? { titles: new Map(), unfinished: new Set(), failures: [], output: [], ran: 0 }
    this.#files.set(key, state)
    return state
  }
}

function fileEnd(error: unknown): string {
  if (!(error instanceof Error)) return 'the file failed'
  if ('failureType' in error && error.failureType === 'testAborted') return 'stopped: the whole run took too long'
  const status = 'exitCode' in error && error.exitCode !== null ? `status ${error.exitCode}` : undefined
  const signal = 'signal' in error && error.signal !== null ? `signal ${error.signal}` : undefined
  return `the file's process ended with ${status ?? signal ?? error.message}`
}
