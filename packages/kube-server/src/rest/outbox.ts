/**
 * What one watcher still has to be told. While its reader keeps up, lines go straight through; else they wait here. A
 * reader that stays behind by more than the limit is cut off: it lists again, which is cheaper than remembering for it.
 */
import type { WatchSink } from '../http/message.ts'

/** Bytes handed to the connection before the rest waits. */
const highWaterBytes = 1024 * 1024
/** Bytes of live events that may wait; the initial replay comes on top. */
const maxWaitingBytes = 4 * 1024 * 1024

export class Outbox {
  readonly #sink: WatchSink
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #allowedBytes = maxWaitingBytes
  #isDraining = false
  #isEnding = false
  #isClosed = false

  constructor(sink: WatchSink) {
    this.#sink = sink
  }

  /** Lines of the initial replay: however many, they are the reader's due. */
  replay(line: Buffer): void {
    this.#allowedBytes += line.length
    this.push(line)
  }

  push(line: Buffer): void {
    if (this.#isClosed || this.#isEnding) return
    if (!this.#isDraining && this.#sink.buffered() < highWaterBytes) {
      this.#sink.write(line)
      return
    }
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    if (this.#waitingBytes > this.#allowedBytes) this.destroy()
    else this.#awaitDrain()
  }

  /** Ends the stream after everything pushed so far. */
  end(): void {
    if (this.#isClosed || this.#isEnding) return
    this.#isEnding = true
    if (this.#waiting.length === 0) this.#finish()
  }

  destroy(): void {
    if (this.#isClosed) return
    this.close()
    this.#sink.destroy()
  }

  /** The reader is gone: nothing is written any more. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
  }

  #finish(): void {
    this.close()
    this.#sink.end()
  }

  #awaitDrain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#sink.onDrain(() => {
      this.#isDraining = false
      this.#flush()
    })
  }

  #flush(): void {
    let sent = 0
    while (sent < this.#waiting.length && this.#sink.buffered() < highWaterBytes) {
      const line = this.#waiting[sent++]
      if (!line) break
      this.#sink.write(line)
      this.#waitingBytes -= line.length
    }
    this.#waiting.splice(0, sent)
    if (this.#isClosed) return
    if (this.#waiting.length > 0) this.#awaitDrain()
    else if (this.#isEnding) this.#finish()
  }
}
