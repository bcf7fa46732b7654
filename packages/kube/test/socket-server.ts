/** A small HTTP server on a real socket that answers what a test tells it to, and can break its connections. */
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface SocketServer {
  readonly url: string
  readonly port: number
  /** Connections accepted so far. */
  readonly connections: number
  /** Requests that arrived, as `METHOD path`. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

export async function socketServer(answer: RequestListener, port = 0): Promise<SocketServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  let connections = 0
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.on('connection', socket => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    get connections() {
      return connections
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Ends the connection with RST: the peer sees ECONNRESET. */
export const reset = (response: ServerResponse) => response.socket?.resetAndDestroy()
