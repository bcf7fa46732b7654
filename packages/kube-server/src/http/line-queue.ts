import type { WatchSink } from './message.ts'
import { TransportError } from './transport.ts'

/** The sink of a watch inside the process: lines wait here until the reader takes them. */
export class LineQueue implements WatchSink {
  #lines: Buffer[] = []
  #bytes = 0
  #hasEnded = false
  #failure: TransportError | undefined
  #isClosed = false
  #wake: (() => void) | undefined
  #onDrain: (() => void) | undefined
  #onClose: (() => void) | undefined

  write(line: Buffer): void {
    if (this.#isClosed || this.#hasEnded) return
    this.#lines.push(line)
    this.#bytes += line.length
    this.#wake?.()
  }

  buffered(): number {
    return this.#bytes
  }

  onDrain(run: () => void): void {
    this.#onDrain = run
  }

  end(): void {
    this.#hasEnded = true
    this.#wake?.()
  }

  destroy(): void {
    this.#fail(new TransportError('ConnectionError', 'the stream was cut off', { wasSent: true }))
  }

  /** The reader gives up. */
  abort(): void {
    this.#fail(new TransportError('Aborted', 'the request was aborted', { wasSent: true }))
  }

  /** Called once, when the reader is done or the stream is over. */
  onClose(run: () => void): void {
    if (this.#isClosed) run()
    else this.#onClose = run
  }

  /** Ends when the server ends the stream, throws when it is cut off. To be read once. */
  async *lines(): AsyncGenerator<string> {
    try {
      for (;;) {
        if (this.#failure) throw this.#failure
        const taken = this.#lines
        this.#lines = []
        for (const line of taken) {
          this.#bytes -= line.length
          yield line.toString('utf8', 0, line.length - 1)
          if (this.#failure) throw this.#failure
        }
        if (this.#bytes === 0) this.#drained()
        if (this.#lines.length > 0) continue
        if (this.#failure) throw this.#failure
        if (this.#hasEnded || this.#isClosed) return
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    } finally {
      this.#close()
    }
  }

  #drained(): void {
    const run = this.#onDrain
    this.#onDrain = undefined
    run?.()
  }

  #fail(error: TransportError): void {
    if (this.#hasEnded) return
    this.#failure ??= error
    this.#close()
    this.#wake?.()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#lines = []
    this.#onClose?.()
  }
}
