/** Workload kinds, and other kinds that are only stored: no controller here acts on them. */
import type { KubeObject } from '../../api/object.ts'
import { fieldAt } from '../../rest/selectors.ts'
import { column } from '../../table/columns.ts'
import { defineBuiltin, scaleOf, statusOf } from '../define.ts'
import { anything, boolean, integer, intOrString, listOf, long, mapOf, strings, text, time } from '../openapi-types.ts'
import type { Column, Draft, Resource } from '../resource.ts'
import { appsSpecs, cronJobSpec, jobSpec, labelSelector, open } from './workload-schemas.ts'

const spec = (draft: Draft) => draft['spec'] as { [field: string]: unknown } | undefined

function defaultReplicas(draft: Draft): void {
  const found = spec(draft)
  if (found) found['replicas'] ??= 1
}

const count = (name: string, path: string): Column =>
  column(name, object => Number(fieldAt(path)(object) || 0), { type: 'integer' })

const ready: Column = column(
  'Ready',
  (object: KubeObject) => `${fieldAt('status.readyReplicas')(object) || 0}/${fieldAt('spec.replicas')(object) || 0}`,
)

const scalePaths = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.spec.selector',
}
const withStatus = { hasGeneration: true, hasStatus: true } as const
const replicaStatus = open({
  replicas: integer,
  readyReplicas: integer,
  availableReplicas: integer,
  updatedReplicas: integer,
  observedGeneration: long,
})

function apps(plural: string, kind: keyof typeof appsSpecs, shortName: string, columns: readonly Column[]): Resource {
  const hasScale = kind !== 'DaemonSet'
  return defineBuiltin({
    group: 'apps',
    plural,
    kind,
    shortNames: [shortName],
    categories: ['all'],
    subresources: [statusOf(kind), ...(hasScale ? [scaleOf()] : [])],
    fields: { spec: appsSpecs[kind], status: replicaStatus },
    columns,
    strategy: { ...withStatus, ...(hasScale && { applyDefaults: defaultReplicas }) },
    ...(hasScale && { scale: scalePaths }),
  })
}

export const workloads: readonly Resource[] = [
  apps('deployments', 'Deployment', 'deploy', [
    ready,
    count('Up-to-date', 'status.updatedReplicas'),
    count('Available', 'status.availableReplicas'),
  ]),
  apps('replicasets', 'ReplicaSet', 'rs', [
    count('Desired', 'spec.replicas'),
    count('Current', 'status.replicas'),
    count('Ready', 'status.readyReplicas'),
  ]),
  apps('statefulsets', 'StatefulSet', 'sts', [ready]),
  apps('daemonsets', 'DaemonSet', 'ds', [
    count('Desired', 'status.desiredNumberScheduled'),
    count('Ready', 'status.numberReady'),
  ]),
  defineBuiltin({
    group: 'batch',
    plural: 'jobs',
    kind: 'Job',
    categories: ['all'],
    subresources: [statusOf('Job')],
    fields: { spec: jobSpec, status: anything },
    selectable: ['status.successful'],
    columns: [
      column(
        'Completions',
        object => `${fieldAt('status.succeeded')(object) || 0}/${fieldAt('spec.completions')(object) || 1}`,
      ),
    ],
    strategy: withStatus,
  }),
  defineBuiltin({
    group: 'batch',
    plural: 'cronjobs',
    kind: 'CronJob',
    shortNames: ['cj'],
    categories: ['all'],
    subresources: [statusOf('CronJob')],
    fields: {
      spec: cronJobSpec,
      status: open({ lastScheduleTime: time, active: listOf(anything) }),
    },
    columns: [column('Schedule', 'spec.schedule'), column('Suspend', 'spec.suspend')],
    strategy: withStatus,
  }),
  defineBuiltin({
    group: 'networking.k8s.io',
    plural: 'ingresses',
    singular: 'ingress',
    kind: 'Ingress',
    shortNames: ['ing'],
    subresources: [statusOf('Ingress')],
    fields: {
      spec: open({ ingressClassName: text, rules: listOf(anything), tls: listOf(anything) }),
      status: anything,
    },
    columns: [column('Class', 'spec.ingressClassName')],
    strategy: { ...withStatus, createsOnUpdate: false },
  }),
  defineBuiltin({
    group: 'networking.k8s.io',
    plural: 'networkpolicies',
    singular: 'networkpolicy',
    kind: 'NetworkPolicy',
    shortNames: ['netpol'],
    fields: { spec: open({ podSelector: labelSelector, policyTypes: strings }) },
    strategy: { hasGeneration: true },
  }),
  defineBuiltin({
    group: 'policy',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    shortNames: ['pdb'],
    subresources: [statusOf('PodDisruptionBudget')],
    fields: {
      spec: open({ selector: labelSelector, minAvailable: intOrString, maxUnavailable: intOrString }),
      status: anything,
    },
    strategy: withStatus,
  }),
  defineBuiltin({
    group: 'scheduling.k8s.io',
    plural: 'priorityclasses',
    singular: 'priorityclass',
    kind: 'PriorityClass',
    clusterScoped: true,
    shortNames: ['pc'],
    fields: { value: integer, globalDefault: boolean, description: text, preemptionPolicy: text },
    columns: [column('Value', 'value', { type: 'integer' })],
    strategy: { hasGeneration: true },
  }),
  defineBuiltin({
    group: 'storage.k8s.io',
    plural: 'storageclasses',
    singular: 'storageclass',
    kind: 'StorageClass',
    clusterScoped: true,
    shortNames: ['sc'],
    fields: {
      provisioner: text,
      parameters: mapOf(text),
      reclaimPolicy: text,
      mountOptions: strings,
      allowVolumeExpansion: boolean,
      volumeBindingMode: text,
      allowedTopologies: listOf(anything),
    },
    columns: [column('Provisioner', 'provisioner')],
  }),
]
