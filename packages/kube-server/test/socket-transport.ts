/** Requests over real sockets, with the interface of the way in without them. */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { createInterface } from 'node:readline'
import { type Transport, TransportError, type TransportRequest, type TransportResponse } from '../src/index.ts'

export interface Credentials {
  /** PEM. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly token?: string
  readonly insecure?: boolean
}

/** @param server for instance `http://127.0.0.1:1234` */
export function socketTransport(server: string, credentials: Credentials = {}): Transport {
  const url = new URL(server)
  const { token, insecure, ...tls } = credentials
  const settings = { keepAlive: true, maxSockets: 64 }
  const isTls = url.protocol === 'https:'
  const agent = isTls
    ? new https.Agent({ ...settings, ...tls, rejectUnauthorized: !insecure })
    : new http.Agent(settings)
  const send = isTls ? https.request : http.request
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    request: ({ method, path, headers, body, signal }: TransportRequest) =>
      new Promise((resolve, reject) => {
        const target = `${url.pathname.replace(/\/$/, '')}${path}`
        const options = { agent, method, path: target, host: url.hostname, port: url.port }
        const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
        const sent = { ...authorization, ...(headers as http.OutgoingHttpHeaders), ...length }
        const request = send({ ...options, headers: sent, ...(signal && { signal }) }, response =>
          resolve(answerOf(response)),
        )
        const failed = (error: Error) =>
          reject(new TransportError('ConnectionError', error.message, { wasSent: request.reusedSocket }))
        request.on('error', failed)
        request.end(body)
      }),
    async close() {
      agent.destroy()
    },
  }
}

function answerOf(response: IncomingMessage): TransportResponse {
  const { statusCode = 0, headers } = response
  return {
    status: statusCode,
    headers,
    async text() {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      return Buffer.concat(chunks).toString('utf8')
    },
    lines: () => createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY }),
  }
}
