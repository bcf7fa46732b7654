/** Sockets in, sockets out: turns HTTP(S) exchanges into requests for the core, and its answers into bytes. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Clock, type Logger, nextTurn, sleep } from '@godwit/ports'
import { errorResponse } from '../rest/errors.ts'
import { tooLarge } from './body.ts'
import type { ApiRequest, ApiResponse, PiecesResponse, WatchResponse, WholeResponse } from './message.ts'
import { readBody } from './read-body.ts'
import { TurnWriter } from './turn-writer.ts'
import { UnreadableRequests } from './unreadable-requests.ts'

export type Handle = (request: ApiRequest) => Promise<ApiResponse>

export interface TlsOptions {
  readonly cert: string
  readonly key: string
  /** PEM of the authorities whose client certificates are asked for. */
  readonly clientCa: string
}

export interface FrontEndOptions {
  readonly handle: Handle
  readonly host: string
  readonly port: number
  readonly tls: TlsOptions | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** A client that dawdles with its request is cut off after this long. */
const headersTimeoutMs = 20_000
const requestTimeoutMs = 60_000
/** Longer than the idle time of usual clients, so that they close first. */
const keepAliveTimeoutMs = 95_000
/** How long answers under way may take once the server stops. */
const stopPatienceMs = 2000
const probeAfterMs = 30_000
/** As on the real server: selectors that name hundreds of objects stand in the URL. */
const maxHeaderBytes = 1024 * 1024

export class FrontEnd {
  readonly #options: FrontEndOptions
  readonly #server: http.Server | https.Server
  readonly #streams = new Set<() => void>()
  readonly #writer = new TurnWriter()
  readonly #unreadable = new UnreadableRequests()
  /** Every connection, from its first packet: those that still shake hands are unknown to the server of requests. */
  readonly #sockets = new Set<Socket>()
  #answering = 0

  private constructor(options: FrontEndOptions) {
    this.#options = options
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response)
    const settings = {
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
    }
    this.#server = options.tls
      ? https.createServer({ ...settings, ...tlsSettings(options.tls) }, listener)
      : http.createServer(settings, listener)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('clientError', (error, socket) => this.#unreadable.refuse(error, socket))
  }

  /** Resolves when the server listens. Rejects when the port cannot be had. */
  static async start(options: FrontEndOptions): Promise<FrontEnd> {
    const frontEnd = new FrontEnd(options)
    const server = frontEnd.#server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port, options.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
    return frontEnd
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all watches, lets answers finish for a moment, then closes every connection. */
  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const end of this.#streams) end()
    this.#server.closeIdleConnections()
    const { clock } = this.#options
    for (let waited = 0; this.#answering > 0 && waited < stopPatienceMs; waited += 10) await sleep(clock, 10)
    this.#server.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    this.#answering++
    this.#unreadable.track(incoming.socket, outgoing)
    // A client that leaves in the middle is an everyday event; 'close' tells those whom it concerns.
    outgoing.on('error', () => undefined)
    try {
      const response = await this.#ask(incoming)
      if (outgoing.destroyed) return
      await this.#send(incoming, outgoing, response)
    } catch (error) {
      // The client left, or its request could not be read: nobody is there to be told.
      this.#options.logger.debug({ error: String(error), url: incoming.url }, 'a request ended without an answer')
      outgoing.destroy()
    } finally {
      this.#answering--
    }
  }

  async #ask(incoming: IncomingMessage): Promise<ApiResponse> {
    const { method = 'GET', url = '/', headers } = incoming
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    const body = hasBody ? await readBody(incoming) : undefined
    if (body?.isTooLarge) return errorResponse(tooLarge())
    const clientCertificate = certificateOf(incoming.socket)
    return this.#options.handle({
      method,
      url,
      headers: impersonates(headers) ? headersOf(incoming) : headers,
      ...(body?.bytes && { body: body.bytes }),
      ...(clientCertificate && { clientCertificate }),
    })
  }

  async #send(incoming: IncomingMessage, outgoing: ServerResponse, response: ApiResponse): Promise<void> {
    switch (response.kind) {
      case 'whole':
        writeWhole(outgoing, response, response.body, incoming.method === 'HEAD')
        return
      case 'pieces':
        return sendPieces(outgoing, response, incoming.method === 'HEAD')
      case 'watch':
        return this.#sendWatch(outgoing, response)
      case 'cut':
        incoming.socket.destroy()
        return
      case 'silence':
        return
    }
  }

  #sendWatch(outgoing: ServerResponse, response: WatchResponse): void {
    outgoing.writeHead(response.status, response.headers)
    // Clients wait for the headers before they believe that the watch has begun.
    outgoing.flushHeaders()
    const sink = this.#writer.sink(outgoing)
    const end = () => sink.end()
    this.#streams.add(end)
    const stop = response.open(sink)
    outgoing.on('close', () => {
      this.#streams.delete(end)
      stop()
    })
  }
}

function tlsSettings({ cert, key, clientCa }: TlsOptions): https.ServerOptions {
  // Certificates are judged by the core, which answers 401; the handshake itself lets everybody in.
  return { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' }
}

function certificateOf(socket: Socket): Buffer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  return socket.getPeerX509Certificate()?.raw
}

const impersonates = (headers: http.IncomingHttpHeaders) => headers['impersonate-user'] !== undefined

/** With repeated headers kept apart: group names may hold commas. */
function headersOf(incoming: IncomingMessage): http.IncomingHttpHeaders {
  const headers: http.IncomingHttpHeaders = { ...incoming.headers }
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    if (name.startsWith('impersonate-') && values) headers[name] = values
  return headers
}

/** Without a length Node frames the body in chunks, which costs a fifth of a small answer. */
function writeWhole(
  outgoing: ServerResponse,
  { status, headers }: Pick<WholeResponse, 'status' | 'headers'>,
  body: string,
  isHead: boolean,
): void {
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  outgoing.end(isHead ? undefined : body)
}

async function sendPieces(outgoing: ServerResponse, response: PiecesResponse, isHead: boolean): Promise<void> {
  const { status, headers, pieces } = response
  const iterator = pieces[Symbol.iterator]()
  const first = collect(iterator)
  if (first.isLast) {
    writeWhole(outgoing, response, first.text, isHead)
    return
  }
  outgoing.writeHead(status, headers)
  outgoing.write(first.text)
  for (;;) {
    await nextTurn()
    if (outgoing.destroyed) return
    const piece = collect(iterator)
    if (piece.isLast) {
      outgoing.end(piece.text)
      return
    }
    if (!outgoing.write(piece.text)) await drained(outgoing)
  }
}

/** Joins short pieces, so that a short list goes out in one write with its length known. */
const joinBelowChars = 256 * 1024

function collect(iterator: Iterator<string>): { text: string; isLast: boolean } {
  let text = ''
  while (text.length < joinBelowChars) {
    const next = iterator.next()
    if (next.done) return { text, isLast: true }
    text += next.value
  }
  return { text, isLast: false }
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}
