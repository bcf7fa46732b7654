/** What a client is told whose bytes are no HTTP request: a Status like any other refusal, then the connection ends. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { StatusError } from '../api/status-error.ts'
import { errorResponse } from '../rest/errors.ts'

const reasonPhrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

/** Knows which connections have answers under way, so that a refusal never ends up in the middle of one. */
export class UnreadableRequests {
  readonly #underWay = new WeakMap<Duplex, Set<ServerResponse>>()
  readonly #refused = new WeakMap<Duplex, StatusError>()

  /** To be called for each request that could be read. */
  track(socket: Duplex, response: ServerResponse): void {
    const responses = this.#underWay.get(socket) ?? new Set()
    this.#underWay.set(socket, responses.add(response))
    response.on('close', () => {
      responses.delete(response)
      const refusal = this.#refused.get(socket)
      if (refusal && responses.size === 0) write(socket, refusal)
    })
  }

  /** Tells the client once the answers before are out; a long answer under way is cut off instead. */
  refuse(error: Error, socket: Duplex): void {
    const responses = [...(this.#underWay.get(socket) ?? [])]
    if (responses.some(response => response.headersSent && !response.writableEnded)) socket.destroy()
    else if (responses.some(response => response.req.complete)) this.#refused.set(socket, refusalOf(error))
    else write(socket, refusalOf(error))
  }
}

function refusalOf(error: Error): StatusError {
  const code = 'code' in error ? error.code : undefined
  if (code === 'HPE_HEADER_OVERFLOW') return new StatusError(431, 'BadRequest', 'the request headers are too long')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new StatusError(408, 'Timeout', 'the request took too long to arrive')
  return new StatusError(400, 'BadRequest', `the request is no HTTP that can be understood: ${error.message}`)
}

function write(socket: Duplex, refusal: StatusError): void {
  // The client may be gone, which is what most of these errors are about.
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const { status, body } = errorResponse(refusal)
  const head = [
    `HTTP/1.1 ${status} ${reasonPhrases[status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
