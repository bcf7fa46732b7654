/**
 * Writes watch lines to sockets once per turn of the event loop: a burst of events costs each watcher one system call
 * instead of one per event. With many watchers those calls are most of what a server does.
 */
import type { ServerResponse } from 'node:http'
import { nextTurn } from '@godwit/ports'
import type { WatchSink } from './message.ts'

export class TurnWriter {
  readonly #dirty = new Set<ResponseSink>()
  #isScheduled = false

  /** The sink of one streaming response. */
  sink(response: ServerResponse): WatchSink {
    return new ResponseSink(response, sink => this.#note(sink))
  }

  #note(sink: ResponseSink): void {
    this.#dirty.add(sink)
    if (this.#isScheduled) return
    this.#isScheduled = true
    void nextTurn().then(() => {
      this.#isScheduled = false
      for (const one of this.#dirty) one.flush()
      this.#dirty.clear()
    })
  }
}

class ResponseSink implements WatchSink {
  readonly #response: ServerResponse
  readonly #note: (sink: ResponseSink) => void
  #lines: Buffer[] = []
  #bytes = 0

  constructor(response: ServerResponse, note: (sink: ResponseSink) => void) {
    this.#response = response
    this.#note = note
  }

  write(line: Buffer): void {
    if (this.#lines.length === 0) this.#note(this)
    this.#lines.push(line)
    this.#bytes += line.length
  }

  buffered(): number {
    return this.#bytes + this.#response.writableLength
  }

  onDrain(run: () => void): void {
    this.flush()
    if (this.#response.writableNeedDrain) this.#response.once('drain', run)
    else void nextTurn().then(run)
  }

  end(): void {
    this.flush()
    this.#response.end()
  }

  destroy(): void {
    this.#lines = []
    this.#response.destroy()
  }

  flush(): void {
    const [first] = this.#lines
    // The client may have left since the lines were written here.
    const isOpen = !this.#response.destroyed && !this.#response.writableEnded
    // Joining copies a kilobyte or so; writing apart would frame each line as a chunk of its own.
    if (first && isOpen)
      this.#response.write(this.#lines.length === 1 ? first : Buffer.concat(this.#lines, this.#bytes))
    this.#lines = []
    this.#bytes = 0
  }
}
