/** Pods, nodes, services and volumes: stored and watched, but nothing runs them here. */
import { dns1035Problem } from '../../api/names.ts'
import type { Json, JsonObject, KubeObject } from '../../api/object.ts'
import { fieldAt } from '../../rest/selectors.ts'
import { column } from '../../table/columns.ts'
import { defineBuiltin, statusOf } from '../define.ts'
import { anything, boolean, listOf, record, strings, text } from '../openapi-types.ts'
import type { Draft, Resource } from '../resource.ts'
import { open, podSpec, podStatus, serviceSpec } from './workload-schemas.ts'

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? (value as JsonObject[]) : [])
const part = (object: KubeObject, field: string) => (object[field] ?? {}) as JsonObject

function readyContainers(object: KubeObject): string {
  const statuses = list(part(object, 'status')['containerStatuses'])
  return `${statuses.filter(one => one['ready'] === true).length}/${list(part(object, 'spec')['containers']).length}`
}

const restarts = (object: KubeObject) =>
  list(part(object, 'status')['containerStatuses']).reduce((sum, one) => sum + Number(one['restartCount'] ?? 0), 0)

/** A pod that a node has taken up ends when its kubelet says so: by deleting it once more, without any grace. */
function podGraceSeconds(object: KubeObject, wanted: number | undefined): number {
  const { nodeName, terminationGracePeriodSeconds } = part(object, 'spec')
  const { phase } = part(object, 'status')
  if (!nodeName || phase === 'Succeeded' || phase === 'Failed') return 0
  const seconds = wanted ?? terminationGracePeriodSeconds
  return typeof seconds === 'number' ? seconds : DEFAULT_POD_GRACE_SECONDS
}

const DEFAULT_POD_GRACE_SECONDS = 30

export const pods: Resource = defineBuiltin({
  plural: 'pods',
  kind: 'Pod',
  shortNames: ['po'],
  categories: ['all'],
  subresources: [statusOf('Pod')],
  description: 'Pod is a collection of containers that can run on a host.',
  fields: { spec: podSpec, status: podStatus },
  selectable: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  columns: [
    column('Ready', readyContainers),
    column('Status', object => fieldAt('status.reason')(object) || fieldAt('status.phase')(object)),
    column('Restarts', restarts, { type: 'integer' }),
  ],
  strategy: {
    hasStatus: true,
    applyDefaults(draft) {
      const spec = draft['spec'] as JsonObject | undefined
      if (spec) spec['restartPolicy'] ??= 'Always'
    },
    prepareCreate(draft) {
      draft['status'] = { phase: 'Pending' }
    },
    graceSeconds: podGraceSeconds,
    isRemovable: ({ metadata }) => (metadata.deletionGracePeriodSeconds ?? 0) === 0,
  },
})

export const nodes: Resource = defineBuiltin({
  plural: 'nodes',
  kind: 'Node',
  clusterScoped: true,
  shortNames: ['no'],
  subresources: [statusOf('Node')],
  description: 'Node is a worker of the cluster.',
  fields: { spec: open({ unschedulable: boolean, podCIDR: text }), status: anything },
  selectable: ['spec.unschedulable'],
  columns: [
    column('Status', object => {
      const ready = list(part(object, 'status')['conditions']).find(one => one['type'] === 'Ready')
      if (!ready) return 'Unknown'
      return ready['status'] === 'True' ? 'Ready' : 'NotReady'
    }),
    column('Version', 'status.nodeInfo.kubeletVersion'),
  ],
  strategy: { hasStatus: true },
})

function servicePorts(object: KubeObject): string {
  const ports = list(part(object, 'spec')['ports'])
  return ports.map(one => `${one['port']}/${one['protocol'] ?? 'TCP'}`).join(',') || '<none>'
}

function defaultService(draft: Draft): void {
  const spec = draft['spec'] as JsonObject | undefined
  if (!spec) return
  spec['type'] ??= 'ClusterIP'
  spec['sessionAffinity'] ??= 'None'
  for (const port of list(spec['ports'])) {
    port['protocol'] ??= 'TCP'
    port['targetPort'] ??= port['port'] ?? 0
  }
}

export const services: Resource = defineBuiltin({
  plural: 'services',
  kind: 'Service',
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [statusOf('Service')],
  description: 'Service is a named abstraction of software that listens on ports.',
  fields: {
    spec: serviceSpec,
    status: anything,
  },
  selectable: ['spec.clusterIP', 'spec.type'],
  columns: [
    column('Type', 'spec.type'),
    column('Cluster-IP', object => fieldAt('spec.clusterIP')(object) || '<none>'),
    column('External-IP', () => '<none>'),
    column('Port(s)', servicePorts),
  ],
  strategy: { hasStatus: true, nameProblem: dns1035Problem, applyDefaults: defaultService },
})

export const endpoints: Resource = defineBuiltin({
  plural: 'endpoints',
  singular: 'endpoints',
  kind: 'Endpoints',
  shortNames: ['ep'],
  fields: { subsets: listOf(anything) },
  strategy: { createsOnUpdate: true },
})

export const persistentVolumeClaims: Resource = defineBuiltin({
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  shortNames: ['pvc'],
  subresources: [statusOf('PersistentVolumeClaim')],
  fields: {
    spec: open({ accessModes: strings, volumeName: text, storageClassName: text, volumeMode: text }),
    status: anything,
  },
  columns: [
    column('Status', 'status.phase'),
    column('Volume', 'spec.volumeName'),
    column('StorageClass', 'spec.storageClassName'),
  ],
  strategy: {
    hasStatus: true,
    prepareCreate(draft) {
      draft['status'] = { phase: 'Pending' }
    },
  },
})

export const persistentVolumes: Resource = defineBuiltin({
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  clusterScoped: true,
  shortNames: ['pv'],
  subresources: [statusOf('PersistentVolume')],
  fields: { spec: open({ accessModes: strings, storageClassName: text }), status: anything },
  columns: [column('Status', 'status.phase'), column('StorageClass', 'spec.storageClassName')],
  strategy: { hasStatus: true },
})

export const limitRanges: Resource = defineBuiltin({
  plural: 'limitranges',
  kind: 'LimitRange',
  shortNames: ['limits'],
  fields: { spec: record({ limits: listOf(anything) }) },
  strategy: { createsOnUpdate: true },
})
