/** The API server before anything happens: definitions and a namespace, made once and begun with as often as one likes. */
import { KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer, type ServerImage } from '@godwit/kube-server'
import { cocoonHibernationCrd, cocoonSetCrd } from '@godwit/nodes'
import { seededRandom, VirtualClock } from '@godwit/ports'

export const NAMESPACE = 'ns'

export interface WorldImage {
  readonly server: ServerImage
  /** Virtual time at which it was made. */
  readonly nowMs: number
}

export async function makeWorldImage(): Promise<WorldImage> {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const server = await KubeServer.start({ listen: false, clock, random })
  const client = new KubeClient({ transport: server.transport('admin'), clock, random })
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  for (const crd of [cocoonSetCrd, cocoonHibernationCrd])
    await client.create(resources.customResourceDefinitions, crd as unknown as KubeObject)
  await server.idle()
  const image = { server: server.image(), nowMs: clock.now() }
  await server.stop()
  return image
}
