/**
 * Which lists and maps of the built-in kinds are merged, and by what. Only what differs from the usual is listed:
 * objects are taken apart per member, lists are replaced as a whole.
 */
import { keyed, leaf, mapOf, open, type Shape, set, untracked } from './shape.ts'
import { metadataShape } from './shape-metadata.ts'
import {
  atomic,
  claimSpec,
  conditions,
  jobSpec,
  jobStatus,
  podSpec,
  podStatus,
  podTemplate,
  workloadSpec,
} from './shape-pod.ts'

function kind(fields: { readonly [name: string]: Shape } = {}): Shape {
  return open({ apiVersion: untracked, kind: untracked, metadata: metadataShape, ...fields })
}

const status = open({ conditions })
/** Apply merges these by type, strategic merge patches replace them. */
const replacedConditions = open({ conditions: { ...conditions, isPatchedWhole: true } })
const workload = kind({ spec: workloadSpec, status })
const quantities = mapOf(leaf)
const texts = mapOf(leaf)
const webhooks = kind({
  webhooks: keyed(
    ['name'],
    open({ matchConditions: keyed(['name']), namespaceSelector: atomic, objectSelector: atomic }),
  ),
})

const generic = kind({ status })

const core: readonly (readonly [string, Shape])[] = [
  ['v1/ConfigMap', kind({ data: texts, binaryData: texts })],
  ['v1/Endpoints', kind()],
  ['v1/Event', kind({ involvedObject: atomic, related: atomic })],
  ['v1/LimitRange', kind()],
  ['v1/Namespace', generic],
  [
    'v1/Node',
    kind({
      spec: open({ podCIDRs: set }),
      status: open({ conditions, addresses: keyed(['type']), allocatable: quantities, capacity: quantities }),
    }),
  ],
  [
    'v1/PersistentVolume',
    kind({ spec: open({ capacity: quantities, nodeAffinity: open({ required: atomic }) }), status }),
  ],
  [
    'v1/PersistentVolumeClaim',
    kind({ spec: claimSpec, status: open({ conditions, capacity: quantities, allocatedResources: quantities }) }),
  ],
  ['v1/Pod', kind({ spec: podSpec, status: podStatus })],
  ['v1/PodTemplate', kind({ template: podTemplate })],
  ['v1/ReplicationController', workload],
  ['v1/ResourceQuota', kind({ spec: open({ hard: quantities, scopeSelector: atomic }) })],
  ['v1/Secret', kind({ data: texts, stringData: texts })],
  [
    'v1/Service',
    kind({
      spec: open({
        ports: keyed(['port', 'protocol'], undefined, { protocol: 'TCP' }),
        selector: atomic,
      }),
      status,
    }),
  ],
  ['v1/ServiceAccount', kind({ secrets: keyed(['name'], atomic) })],
]

const groups: readonly (readonly [string, Shape])[] = [
  ['admissionregistration.k8s.io/v1/MutatingWebhookConfiguration', webhooks],
  ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', webhooks],
  ['apiextensions.k8s.io/v1/CustomResourceDefinition', kind({ status: replacedConditions })],
  ['apiregistration.k8s.io/v1/APIService', generic],
  ['apps/v1/DaemonSet', workload],
  ['apps/v1/Deployment', workload],
  ['apps/v1/ReplicaSet', workload],
  ['apps/v1/StatefulSet', workload],
  ['autoscaling/v1/HorizontalPodAutoscaler', kind({ spec: open({ scaleTargetRef: atomic }) })],
  ['autoscaling/v2/HorizontalPodAutoscaler', kind({ status: replacedConditions })],
  ['batch/v1/CronJob', kind({ spec: open({ jobTemplate: open({ spec: jobSpec }) }) })],
  ['batch/v1/Job', kind({ spec: jobSpec, status: jobStatus })],
  ['certificates.k8s.io/v1/CertificateSigningRequest', kind({ status: replacedConditions })],
  ['coordination.k8s.io/v1/Lease', kind()],
  ['discovery.k8s.io/v1/EndpointSlice', kind()],
  ['events.k8s.io/v1/Event', kind({ regarding: atomic, related: atomic })],
  [
    'networking.k8s.io/v1/Ingress',
    kind({ spec: open({ defaultBackend: open({ resource: atomic, service: open({ port: atomic }) }) }) }),
  ],
  ['networking.k8s.io/v1/NetworkPolicy', kind({ spec: open({ podSelector: atomic }) })],
  [
    'policy/v1/PodDisruptionBudget',
    kind({ spec: open({ selector: atomic }), status: open({ conditions, disruptedPods: texts }) }),
  ],
  ['rbac.authorization.k8s.io/v1/ClusterRole', kind()],
  ['rbac.authorization.k8s.io/v1/ClusterRoleBinding', kind({ roleRef: atomic })],
  ['rbac.authorization.k8s.io/v1/Role', kind()],
  ['rbac.authorization.k8s.io/v1/RoleBinding', kind({ roleRef: atomic })],
  ['scheduling.k8s.io/v1/PriorityClass', kind()],
  ['storage.k8s.io/v1/CSINode', kind({ spec: open({ drivers: keyed(['name']) }) })],
  ['storage.k8s.io/v1/StorageClass', kind({ parameters: texts })],
]

const shapes: ReadonlyMap<string, Shape> = new Map([...core, ...groups])

/**
 * The shape of a built-in kind. Kinds that are not listed have the usual metadata, and status conditions told apart by
 * type. Members are not checked: a typed decoder drops unknown ones before.
 */
export function builtinShape(apiVersion: string, kind: string): Shape {
  return shapes.get(`${apiVersion}/${kind}`) ?? generic
}
