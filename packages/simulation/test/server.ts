import { KubeClient } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { type Clock, seededRandom, systemClock } from '@godwit/ports'

/** One API server in memory with access control, without sockets. */
export interface TestServer {
  readonly client: KubeClient
  readonly server: string
  readonly caData: string
  /** Resolves when the server's own controllers have nothing to do. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** @param name becomes part of the URL, which leads nowhere: klusterlets of the fleet know it by heart */
export async function startServer(name: string, clock: Clock = systemClock): Promise<TestServer> {
  const random = seededRandom(name.length)
  const server = await KubeServer.start({ listen: false, auth: {}, clock, random })
  const transport = server.transport('admin')
  return {
    client: new KubeClient({ transport, clock, random, userAgent: 'simulation' }),
    server: `https://api.${name}.example.com:6443`,
    caData: Buffer.from(server.caPem).toString('base64'),
    idle: () => server.idle(),
    stop: () => server.stop(),
  }
}
