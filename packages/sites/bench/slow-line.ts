/** The line between two sites: each request takes a while longer. */
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sleep, systemClock } from '@godwit/ports'

export interface SlowLine {
  readonly url: string
  /** That went over it so far. */
  readonly requests: number
  close(): void
}

/** Whoever asks here is told of the line itself in the catalog, so that all of his calls go over it. */
export async function slowLine(target: string, latencyMs: number): Promise<SlowLine> {
  const { hostname, port } = new URL(target)
  let requests = 0
  const server: Server = createServer((incoming, outgoing) => {
    requests++
    void sleep(systemClock, latencyMs).then(() => {
      const { method, url: path, headers } = incoming
      const onward = request({ hostname, port, method, path, headers }, answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      onward.on('error', () => outgoing.destroy())
      incoming.pipe(onward)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
