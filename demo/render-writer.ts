/** Shows progress where it is printed to: a table that redraws in place on a terminal, plain lines elsewhere. */
import type { Cancel, Clock } from '@godwit/ports'
import { clockText, type DemoView, progressLine, renderTable } from './render.ts'
import { oneLine } from './render-text.ts'

/** What the writer needs of `process.stdout`. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface ProgressWriterOptions {
  readonly output: Output
  readonly clock: Clock
  /** NO_COLOR and TERM are read from here. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

const redrawMs = 100
const tickMs = 1000
const escapeChar = String.fromCharCode(27)
const defaultSize = { columns: 80, rows: 24 }

export class ProgressWriter {
  readonly #output: Output
  readonly #clock: Clock
  readonly #isLive: boolean
  readonly #isColoured: boolean
  #view: DemoView | undefined
  #seenAt = 0
  #drawnAt = Number.NEGATIVE_INFINITY
  #drawnLines = 0
  #lastLine = ''
  #lastPhase = ''
  #toldNews = 0
  #cancel: Cancel | undefined

  constructor({ output, clock, environment = {} }: ProgressWriterOptions) {
    this.#output = output
    this.#clock = clock
    this.#isLive = output.isTTY === true && environment['TERM'] !== 'dumb'
    this.#isColoured = this.#isLive && !environment['NO_COLOR']
  }

  /** Shows the first view; the elapsed time goes on by itself from then on. */
  start(view: DemoView): void {
    this.update(view)
    this.#draw()
    this.#schedule(this.#isLive ? tickMs : undefined)
  }

  /** Takes the newest view; drawn soon, but never more often than an eye or a log file wants. */
  update(view: DemoView): void {
    this.#view = view
    this.#seenAt = this.#clock.now()
    const interval = this.#isLive ? redrawMs : tickMs
    const due = this.#drawnAt + interval - this.#seenAt
    const isNews = !this.#isLive && (view.phase !== this.#lastPhase || view.log.length > this.#toldNews)
    if (due <= 0 || isNews) this.#draw()
    this.#schedule(Math.max(due, 0) || (this.#isLive ? tickMs : undefined))
  }

  /** A line that stays: above the table on a terminal, in its order elsewhere. */
  log(line: string): void {
    this.#erase()
    this.#output.write(`${oneLine(line)}\n`)
    if (this.#isLive) this.#draw()
  }

  /** Draws the last view and leaves it standing. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#draw()
    this.#drawnLines = 0
    this.#view = undefined
  }

  #schedule(delayMs: number | undefined): void {
    this.#cancel?.()
    this.#cancel =
      delayMs === undefined
        ? undefined
        : this.#clock.after(delayMs, () => {
            this.#draw()
            this.#schedule(this.#isLive ? tickMs : undefined)
          })
  }

  #draw(): void {
    if (!this.#view) return
    const now = this.#clock.now()
    const view = { ...this.#view, elapsedMs: this.#view.elapsedMs + now - this.#seenAt }
    this.#drawnAt = now
    if (this.#isLive) this.#drawTable(view)
    else this.#printNews(view)
  }

  #drawTable(view: DemoView): void {
    const { columns = defaultSize.columns, rows = defaultSize.rows } = this.#output
    // One column and one row stay free: a line that fills the last column wraps on some terminals, and a table
    // higher than the window can no longer be erased.
    const lines = renderTable(view, columns - 1, this.#isColoured).slice(0, Math.max(1, rows - 1))
    this.#erase()
    this.#output.write(`${lines.join('\n')}\n`)
    this.#drawnLines = lines.length
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.#output.write(`${escapeChar}[${this.#drawnLines}A${escapeChar}[0J`)
    this.#drawnLines = 0
  }

  #printNews(view: DemoView): void {
    const time = clockText(view.elapsedMs)
    for (const news of view.log.slice(this.#toldNews)) this.#output.write(`${time}  ${oneLine(news)}\n`)
    this.#toldNews = view.log.length
    const line = progressLine(view)
    if (line !== this.#lastLine) this.#output.write(`${time}  ${line}\n`)
    this.#lastLine = line
    this.#lastPhase = view.phase
  }
}
