/**
 * The cheapest HTTP client that will do: one socket, one request at a time, answers with a known length. It shares two
 * cores with the server it measures, so each microsecond it takes is missing there.
 */
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly body: Buffer
}

const endOfHead = Buffer.from('\r\n\r\n')
const contentLength = /content-length: (\d+)/i

export class RawConnection {
  readonly #socket: Socket
  #received: Buffer[] = []
  #length = 0
  /** Length of the whole answer; 0 until its head is there. */
  #expected = 0
  #headLength = 0
  #settle: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawConnection(socket)))
    })
  }

  /** `head` is everything up to the blank line but for Content-Length, which is added when there is a body. */
  request(head: string, body?: string): Promise<RawAnswer> {
    const rest = body === undefined ? '\r\n' : `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#socket.write(head + rest)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#length += chunk.length
    if (this.#expected === 0) this.#readHead()
    if (this.#expected === 0 || this.#length < this.#expected) return
    const whole = this.#received.length === 1 ? chunk : Buffer.concat(this.#received)
    const answer = { status: Number(whole.toString('latin1', 9, 12)), body: whole.subarray(this.#headLength) }
    this.#received = []
    this.#length = this.#expected = 0
    const settle = this.#settle
    this.#settle = undefined
    settle?.resolve(answer)
  }

  #readHead(): void {
    const start = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received)
    const end = start?.indexOf(endOfHead) ?? -1
    if (!start || end < 0) return
    const length = contentLength.exec(start.toString('latin1', 0, end))?.[1]
    if (length === undefined) this.#fail(new Error('an answer of unknown length'))
    this.#headLength = end + endOfHead.length
    this.#expected = this.#headLength + Number(length)
  }

  #fail(error: Error): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.reject(error)
  }
}
