/** The line between two sites: what is sent over it to a site arrives a while later. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { systemClock } from '@godwit/ports'

export interface SlowLine {
  readonly url: string
  /** That went over it so far. */
  readonly requests: number
  close(): void
}

/** Each begins a piece of its own: nobody here sends a second one before the first is answered. */
const REQUEST = /^(GET|POST|PATCH|PUT|DELETE) /

/** Whoever asks here is told of the line itself in the catalog, so that all of his calls go over it. */
export async function slowLine(target: string, latencyMs: number): Promise<SlowLine> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer(incoming => {
    const onward = connect({ host: hostname, port: Number(port) })
    for (const socket of [incoming, onward]) {
      sockets.add(socket.setNoDelay())
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    }
    incoming.on('data', piece => {
      if (REQUEST.test(piece.toString('latin1', 0, 8))) requests++
      systemClock.after(latencyMs, () => onward.write(piece))
    })
    onward.on('close', () => incoming.destroy())
    incoming.on('close', () => systemClock.after(latencyMs, () => onward.end()))
    onward.pipe(incoming)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
