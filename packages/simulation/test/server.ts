import { KubeClient } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { systemClock } from '@godwit/ports'

/** One API server in memory with access control, without sockets. */
export interface TestServer {
  readonly client: KubeClient
  /** Carries no identity of its own. */
  readonly anonymous: KubeClient
  readonly server: string
  readonly caData: string
  stop(): Promise<void>
}

/** @param name becomes part of the URL, which leads nowhere: klusterlets of the fleet know it by heart */
export async function startServer(name: string): Promise<TestServer> {
  const server = await KubeServer.start({ listen: false, auth: {}, clock: systemClock })
  const transport = server.transport('admin')
  const nobody = server.transport({ name: 'system:anonymous', groups: ['system:unauthenticated'] })
  return {
    client: new KubeClient({ transport, userAgent: 'simulation' }),
    anonymous: new KubeClient({ transport: nobody, userAgent: 'simulation' }),
    server: `https://api.${name}.example.com:6443`,
    caData: Buffer.from(server.caPem).toString('base64'),
    stop: () => server.stop(),
  }
}
