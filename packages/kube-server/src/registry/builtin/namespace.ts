import { dnsLabelProblem } from '../../api/names.ts'
import type { JsonObject, KubeObject } from '../../api/object.ts'
import { StatusError } from '../../api/status-error.ts'
import { column } from '../../table/columns.ts'
import { defineBuiltin, statusOf } from '../define.ts'
import { listOf, record, strings, text, time } from '../openapi-types.ts'
import type { Draft, Resource } from '../resource.ts'

const nameLabel = 'kubernetes.io/metadata.name'
const contentFinalizer = 'kubernetes'
const undeletable = new Set(['default', 'kube-system', 'kube-public'])

function setNameLabel(draft: Draft): void {
  const name = draft.metadata.name ?? ''
  draft.metadata.labels = { ...draft.metadata.labels, [nameLabel]: name }
}

function prepareDelete(object: KubeObject): KubeObject {
  const { name } = object.metadata
  if (undeletable.has(name))
    throw new StatusError(403, 'Forbidden', `namespaces "${name}" is forbidden: this namespace may not be deleted`, {
      name,
      kind: 'namespaces',
    })
  return { ...object, status: { ...(object['status'] as JsonObject), phase: 'Terminating' } }
}

/** Finalizers of the namespace itself, which only `/finalize` may change. */
export function namespaceFinalizers(object: JsonObject): readonly string[] {
  const spec = object['spec'] as { finalizers?: string[] } | undefined
  return spec?.finalizers ?? []
}

export const namespaces: Resource = defineBuiltin({
  plural: 'namespaces',
  kind: 'Namespace',
  clusterScoped: true,
  shortNames: ['ns'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [statusOf('Namespace'), { name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  description: 'Namespace provides a scope for names.',
  fields: {
    spec: record({ finalizers: strings }),
    status: record({
      phase: text,
      conditions: listOf(record({ type: text, status: text, lastTransitionTime: time, reason: text, message: text })),
    }),
  },
  selectable: ['status.phase'],
  columns: [column('Status', 'status.phase', { description: 'The status of the namespace' })],
  strategy: {
    hasStatus: true,
    nameProblem: dnsLabelProblem,
    prepareCreate(draft) {
      const finalizers = new Set(namespaceFinalizers(draft)).add(contentFinalizer)
      draft['spec'] = { finalizers: [...finalizers] }
      draft['status'] = { phase: 'Active' }
      setNameLabel(draft)
    },
    prepareUpdate(draft, current, { subresource }) {
      if (subresource !== 'finalize') draft['spec'] = current['spec']
      setNameLabel(draft)
    },
    isRemovable: object => namespaceFinalizers(object).length === 0,
    prepareDelete,
  },
})
