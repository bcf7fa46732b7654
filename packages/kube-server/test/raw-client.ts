/** Bytes to a server, answers back: for requests that no HTTP client would send. */
import { connect, type Socket } from 'node:net'
import { nextTurn } from '@godwit/ports'
import { eventually } from './api.ts'

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** A buffer is sent at once, `slowly` byte by byte, each in a packet of its own. */
export type RawPart = Buffer | { readonly slowly: Buffer }

export class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #isClosed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    // A server may drop what it does not like to hear.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
    })
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async send(...parts: readonly RawPart[]): Promise<void> {
    for (const part of parts) {
      if (Buffer.isBuffer(part)) {
        this.#socket.write(part)
        continue
      }
      for (const byte of part.slowly) {
        this.#socket.write(Buffer.of(byte))
        await nextTurn()
      }
    }
  }

  /** Says that nothing more will come, and goes on listening. */
  end(): void {
    this.#socket.end()
  }

  /** Resolves with `count` answers, or with fewer once the server has closed the connection. */
  async answers(count: number): Promise<readonly RawAnswer[]> {
    await eventually(
      async () => (this.#isClosed || parseAnswers(this.#received).length >= count ? true : undefined),
      () => `wanted ${count} answers, got: ${this.#received.toString('latin1').slice(0, 1000)}`,
    )
    return parseAnswers(this.#received)
  }

  async closed(): Promise<void> {
    await eventually(
      async () => (this.#isClosed ? true : undefined),
      () => 'the connection is still open',
    )
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** The whole answers among `bytes`. */
function parseAnswers(bytes: Buffer): readonly RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let at = 0; at < bytes.length; ) {
    const endOfHead = bytes.indexOf('\r\n\r\n', at)
    if (endOfHead < 0) break
    const head = bytes.toString('latin1', at, endOfHead)
    const status = Number(head.slice(9, 12))
    const content = bodyAt(bytes, endOfHead + 4, head, status)
    if (!content) break
    if (status !== 100) answers.push({ status, head, body: content.body })
    at = content.end
  }
  return answers
}

function bodyAt(bytes: Buffer, start: number, head: string, status: number): { body: string; end: number } | undefined {
  if (status === 100 || status === 304) return { body: '', end: start }
  if (/^transfer-encoding: chunked$/im.test(head)) return chunksAt(bytes, start)
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
  if (bytes.length < start + length) return undefined
  return { body: bytes.toString('utf8', start, start + length), end: start + length }
}

function chunksAt(bytes: Buffer, start: number): { body: string; end: number } | undefined {
  const chunks: Buffer[] = []
  for (let at = start; ; ) {
    const endOfLine = bytes.indexOf('\r\n', at)
    if (endOfLine < 0) return undefined
    const length = Number.parseInt(bytes.toString('latin1', at, endOfLine), 16)
    const next = endOfLine + 2 + length + 2
    if (bytes.length < next) return undefined
    if (length === 0) return { body: Buffer.concat(chunks).toString('utf8'), end: next }
    chunks.push(bytes.subarray(endOfLine + 2, next - 2))
    at = next
  }
}
