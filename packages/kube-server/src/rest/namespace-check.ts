import { notFound, StatusError } from '../api/status-error.ts'
import { qualifiedPlural } from '../registry/resource.ts'
import type { Call, Core } from './call.ts'

/** Creating needs a namespace that exists and is not on its way out. Throws 404 or 403. */
export function assertNamespaceAccepts(core: Core, { resource, namespace }: Call, name: string): void {
  if (!resource.namespaced) return
  const stored = core.store.head({ collection: 'namespaces', namespace: '', name: namespace })
  if (!stored) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace', name: namespace })
  if (stored.object.metadata.deletionTimestamp !== undefined) throw terminating(resource, namespace, name)
}

function terminating(of: { group: string; plural: string }, namespace: string, name: string): StatusError {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  return new StatusError(
    403,
    'Forbidden',
    `${qualifiedPlural(of.plural, of.group)} ${JSON.stringify(name)} is forbidden: ${why}`,
    {
      name,
      ...(of.group && { group: of.group }),
      kind: of.plural,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  )
}
