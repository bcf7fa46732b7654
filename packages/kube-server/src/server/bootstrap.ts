/** What every cluster holds from its first moment on. */
import { bootstrapPolicy } from '../auth/index.ts'
import { Operations } from '../controllers/operations.ts'
import { namespaces } from '../registry/builtin/namespace.ts'
import type { Core } from '../rest/call.ts'

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Creates what is missing; leaves alone what is there. */
export async function bootstrap(core: Core, withPolicy: boolean): Promise<void> {
  const operations = new Operations(core, 'kube-apiserver')
  await Promise.all(systemNamespaces.map(name => operations.ensure({ resource: namespaces, namespace: '', name }, {})))
  if (!withPolicy) return
  await Promise.all(
    bootstrapPolicy().map(async object => {
      const { namespace = '', name } = object.metadata as { namespace?: string; name: string }
      const resource = core.registry.findKind(object.apiVersion, object.kind)
      if (!resource) throw new Error(`the default policy holds an unknown kind ${object.kind}`)
      await operations.ensure({ resource, namespace, name }, object)
    }),
  )
}
