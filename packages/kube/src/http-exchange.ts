/** One HTTP request and its answer over node:http. Owns the time-out and the abort of that one exchange. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Cancel, Clock } from '@godwit/ports'
import { splitLines } from './split-lines.ts'
import { TransportError, type TransportFailure, type TransportRequest, type TransportResponse } from './transport.ts'

export const DEFAULT_TIMEOUT_MS = 30_000

/** Whole answers are held in memory: pages of a list stay far below this. */
const MAX_BODY_BYTES = 256 * 1024 * 1024

/** TCP keep-alive of watches: a peer that vanished without a word is noticed. */
const PROBE_AFTER_MS = 30_000

/** A connection kept open was closed by the server just when it was used again; no byte of an answer arrived. */
export class StaleSocketError extends TransportError {}

/** Sends `request` through `outgoing`, which was made for it and has not been ended. */
export function exchange(outgoing: ClientRequest, request: TransportRequest, clock: Clock): Promise<TransportResponse> {
  const guard = new Guard(outgoing, request, clock)
  return new Promise((resolve, reject) => {
    // A request that still waits for a socket emits nothing when it is destroyed.
    guard.onEnd(() => reject(guard.failure(new Error('ended by ourselves'))))
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      guard.release()
      reject(guard.isStale(error) ? staleSocket(error) : guard.failure(error))
    })
    outgoing.on('response', incoming => {
      // Without a listener, a break between the headers and the first read of the body would end the process.
      incoming.on('error', () => undefined)
      if (request.stream) guard.stopTimer()
      resolve(responseOf(incoming, outgoing, guard, request.maxBodyBytes ?? MAX_BODY_BYTES))
    })
    outgoing.end(request.body)
  })
}

const staleSocket = (error: NodeJS.ErrnoException) =>
  new StaleSocketError('ConnectionError', describe(error), { wasSent: true, cause: error })

const describe = (error: NodeJS.ErrnoException) => error.message || error.code || 'connection error'

class Guard {
  readonly #outgoing: ClientRequest
  readonly #request: TransportRequest
  readonly #abort = () => this.#end('Aborted')
  readonly #stopTimer: Cancel
  #tell: () => void = () => undefined
  #reason: TransportFailure = 'ConnectionError'
  #wasSent = false

  constructor(outgoing: ClientRequest, request: TransportRequest, clock: Clock) {
    this.#outgoing = outgoing
    this.#request = request
    this.#stopTimer = clock.after(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, () => this.#end('Timeout'))
    request.signal?.addEventListener('abort', this.#abort, { once: true })
    this.#noticeSending()
  }

  /** @param tell called when the time is over or the caller aborts, also when that was so from the beginning */
  onEnd(tell: () => void): void {
    this.#tell = tell
    if (this.#request.signal?.aborted) this.#abort()
  }

  stopTimer(): void {
    this.#stopTimer()
  }

  release(): void {
    this.#stopTimer()
    this.#request.signal?.removeEventListener('abort', this.#abort)
  }

  isStale(error: NodeJS.ErrnoException): boolean {
    const isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE'
    return this.#reason === 'ConnectionError' && this.#outgoing.reusedSocket && isReset
  }

  failure(error: NodeJS.ErrnoException): TransportError {
    const message = this.#reason === 'Timeout' ? 'no answer in time' : describe(error)
    const cause = this.#reason === 'ConnectionError' ? { cause: error } : {}
    return new TransportError(this.#reason, message, { wasSent: this.#wasSent, ...cause })
  }

  #end(reason: TransportFailure): void {
    if (this.#reason === 'ConnectionError') this.#reason = reason
    this.release()
    this.#outgoing.destroy()
    this.#tell()
  }

  /** Bytes leave only over a socket that is connected and, with TLS, has shaken hands. */
  #noticeSending(): void {
    this.#outgoing.on('socket', socket => {
      const isSecure = socket instanceof TLSSocket
      // A request that waited in the pool's queue gets a socket that is ready, without being marked as reused.
      const isReady = isSecure ? socket.authorized || Boolean(socket.authorizationError) : !socket.connecting
      const markSent = () => {
        this.#wasSent = true
      }
      if (this.#outgoing.reusedSocket || isReady) markSent()
      else socket.once(isSecure ? 'secureConnect' : 'connect', markSent)
      if (this.#request.stream) socket.setKeepAlive(true, PROBE_AFTER_MS)
    })
  }
}

function responseOf(
  incoming: IncomingMessage,
  outgoing: ClientRequest,
  guard: Guard,
  maxBodyBytes: number,
): TransportResponse {
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    async text() {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      for await (const chunk of bytesOf(incoming, outgoing, guard)) {
        sizeBytes += chunk.length
        if (sizeBytes > maxBodyBytes)
          throw new TransportError('ConnectionError', 'the answer is too large', { wasSent: true })
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString('utf8')
    },
    lines: () => linesOf(incoming, outgoing, guard),
  }
}

async function* linesOf(incoming: IncomingMessage, outgoing: ClientRequest, guard: Guard): AsyncGenerator<string> {
  try {
    yield* splitLines(bytesOf(incoming, outgoing, guard))
  } catch (error) {
    if (error instanceof RangeError) throw new TransportError('ConnectionError', error.message, { wasSent: true })
    throw error
  }
}

async function* bytesOf(incoming: IncomingMessage, outgoing: ClientRequest, guard: Guard): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of incoming) yield chunk as Buffer
    if (!incoming.complete) throw new Error('the answer broke off')
  } catch (error) {
    throw guard.failure(error as NodeJS.ErrnoException)
  } finally {
    guard.release()
    if (!incoming.complete) outgoing.destroy()
  }
}
