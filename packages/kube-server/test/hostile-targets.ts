/** Good requests of every sort, for others to spoil. */
import type { Json } from '../src/api/object.ts'
import { definition, widget, widgetsPath } from './widgets.ts'

const merge = 'application/merge-patch+json'
const jsonPatch = 'application/json-patch+json'
const strategic = 'application/strategic-merge-patch+json'
const apply = 'application/apply-patch+yaml'
const plain = 'application/json'

/** One request that the server would accept with its body as it is here. */
export interface Target {
  readonly method: string
  readonly path: string
  readonly type: string
  readonly body: Json
}

/** A certificate request of eve. */
const csr =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIY01JR0RBZ0VBTUNFeEVUQVBCZ05WQkFvTUNITjVjM1JsYlRwNE1Rd3dDZ1' +
  'lEVlFRRERBTmxkbVV3V1RBVApCZ2NxaGtqT1BRSUJCZ2dxaGtqT1BRTUJCd05DQUFSVGJiektrdmpQbElxUkswbmtLSWtXcWNLN3JVSEVOZnlJ' +
  'CnZJeTEvQzZBZmhJZWJEekdWSlR1MXp2Yi9uaTFtYzFVR2lSYnoyaG12ajNJS3FXUDkvY0tvQUF3Q2dZSUtvWkkKemowRUF3SURTQUF3UlFJZ0' +
  '9DMVJpTS9uay83cmwxb2dsUGQ5MHVBUlhaTkE5d2pDcmNPQVZwQ3NOaVFDSVFDcQpoT1FuTjI0S005SUFERnpZVkdnUkFnTm5UOXVwUC9JMTIw' +
  'd3kwQ3poOWc9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K'
/** Becomes the version of the object called `standing`. */
export const currentVersion = '@version'

const core = '/api/v1/namespaces/default'
const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
const reviews = '/apis/authorization.k8s.io/v1'
const ownerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'c0ffee', controller: true }
const metadata = { name: 'hostile', labels: { a: 'b' }, annotations: { note: 'x' } }
const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['x'] }
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'hostile' }
const subject = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'eve' }
const container = {
  name: 'a',
  image: 'b',
  ports: [{ containerPort: 1, protocol: 'TCP' }],
  env: [{ name: 'A', value: 'b' }],
}
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } }
const deployment = {
  metadata: { name: 'hostile' },
  spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template },
}
const event = {
  type: 'Normal',
  reason: 'R',
  message: 'm',
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'x' },
}
const applied = widget('hostile', { size: 2, tags: ['x', 'y'], parts: [{ name: 'p', qty: 2 }] })
const spec = { size: 1, color: 'Blue', tags: ['a', 'b'], parts: [{ name: 'x', qty: 3 }], maybe: null }
const columns = [{ name: 'Size', type: 'integer', jsonPath: '.spec.size', priority: 1 }]
const cel = [{ rule: 'self.size >= 0 && self.size == oldSelf.size', message: 'no', fieldPath: '.size' }]
const number = { type: 'integer', minimum: 0, maximum: 9, format: 'int32', default: 1 }
const strings = {
  type: 'array',
  maxItems: 9,
  'x-kubernetes-list-type': 'set',
  items: { type: 'string', pattern: '^a+$' },
}
const nested = { type: 'object', additionalProperties: { type: 'string', enum: ['x'] } }
const definitionSpec = {
  type: 'object',
  'x-kubernetes-validations': cel,
  properties: { size: number, tags: strings, map: nested },
}
const kinds = {
  ...definition({ plural: 'gizmos', kind: 'Gizmo' }),
  spec: {
    group: 'test.example.com',
    scope: 'Namespaced',
    names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo', listKind: 'GizmoList', shortNames: ['gz'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: columns,
        selectableFields: [{ jsonPath: '.spec.size' }],
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: definitionSpec, status: definitionSpec } } },
      },
    ],
  },
}

const made = (path: string, body: unknown): Target => ({ method: 'POST', path, type: plain, body: body as Json })
const changed = (path: string, type: string, body: unknown): Target => ({
  method: 'PATCH',
  path,
  type,
  body: body as Json,
})

/** Every way to write, with kinds of every sort. The objects called `standing` are there before. */
export const targets: readonly Target[] = [
  made(`${core}/configmaps`, { metadata, data: { a: 'b' }, binaryData: { c: 'ZA==' }, immutable: false }),
  made(`${core}/secrets`, { metadata, type: 'Opaque', data: { a: 'YQ==' }, stringData: { b: 'c' } }),
  made(`${core}/serviceaccounts`, { metadata, secrets: [{ name: 'x' }], automountServiceAccountToken: true }),
  made(`${core}/events`, { metadata: { name: 'hostile', namespace: 'default' }, ...event, count: 1 }),
  made(`${core}/pods`, { metadata, spec: template.spec }),
  made(`${core}/services`, { metadata, spec: { ports: [{ port: 80, targetPort: 'x' }], selector: { a: 'b' } } }),
  made('/apis/apps/v1/namespaces/default/deployments', deployment),
  made('/api/v1/namespaces', {
    metadata: { name: 'hostile', labels: { a: 'b' } },
    spec: { finalizers: ['kubernetes'] },
  }),
  made('/apis/coordination.k8s.io/v1/namespaces/default/leases', {
    metadata,
    spec: {
      holderIdentity: 'x',
      leaseDurationSeconds: 5,
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 1,
    },
  }),
  made(`${rbac}/roles`, { metadata, rules: [rule] }),
  made(`${rbac}/rolebindings`, { metadata, roleRef, subjects: [subject] }),
  made('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'hostile' },
    rules: [rule],
    aggregationRule: {
      clusterRoleSelectors: [
        { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] },
      ],
    },
  }),
  made('/apis/certificates.k8s.io/v1/certificatesigningrequests', {
    metadata: { name: 'hostile' },
    spec: {
      request: csr,
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      expirationSeconds: 600,
    },
  }),
  made(`${core}/serviceaccounts/default/token`, { spec: { audiences: ['x'], expirationSeconds: 600 } }),
  made(`${reviews}/selfsubjectaccessreviews`, {
    spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'x' } },
  }),
  made(`${reviews}/subjectaccessreviews`, {
    spec: { user: 'eve', groups: ['g'], extra: { a: ['b'] }, nonResourceAttributes: { path: '/', verb: 'get' } },
  }),
  made('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'a.b.c', audiences: ['x'] } }),
  made('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', kinds),
  made(widgetsPath, widget('hostile', spec, { metadata: { labels: { a: 'b' }, finalizers: ['example.com/x'] } })),
  {
    method: 'PUT',
    path: `${core}/configmaps/standing`,
    type: plain,
    body: { metadata: { name: 'standing' }, data: { a: 'c' } },
  },
  {
    method: 'PUT',
    path: `${widgetsPath}/standing`,
    type: plain,
    body: widget('standing', spec, { metadata: { resourceVersion: currentVersion } }) as Json,
  },
  changed(`${core}/configmaps/standing`, merge, {
    metadata: { labels: { x: 'y' }, ownerReferences: [ownerReference] },
    data: { a: null, b: 'c' },
  }),
  changed(`${core}/configmaps/standing`, strategic, {
    metadata: { finalizers: ['a.b/c'] },
    data: { $patch: 'replace', a: 'b' },
  }),
  changed('/apis/apps/v1/namespaces/default/deployments/standing', strategic, {
    spec: {
      template: {
        spec: {
          '$setElementOrder/containers': [{ name: 'a' }],
          $retainKeys: ['containers'],
          containers: [{ name: 'a', $patch: 'delete' }, container],
        },
      },
    },
  }),
  changed(`${core}/configmaps/standing`, jsonPatch, [
    { op: 'add', path: '/data/c', value: 'd' },
    { op: 'copy', from: '/data', path: '/metadata/labels' },
  ]),
  changed(`${widgetsPath}/standing`, merge, { metadata: { annotations: { a: 'b' } }, spec }),
  changed(`${widgetsPath}/standing/status`, merge, { status: { phase: 'Done', replicas: 3 } }),
  changed(`${widgetsPath}/standing`, jsonPatch, [
    { op: 'test', path: '/spec/size', value: 1 },
    { op: 'replace', path: '/spec/tags/0', value: 'z' },
    { op: 'move', from: '/spec/tags/1', path: '/spec/tags/-' },
    { op: 'remove', path: '/spec/parts' },
  ]),
  changed(`${widgetsPath}/hostile?fieldManager=fuzz`, apply, applied),
  changed(`${widgetsPath}/standing?fieldManager=fuzz&force=true`, apply, {
    ...applied,
    metadata: { name: 'standing' },
  }),
  changed(`${core}/configmaps/standing?fieldManager=fuzz`, apply, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'standing' },
    data: { a: 'b' },
  }),
  {
    method: 'DELETE',
    path: `${widgetsPath}/standing`,
    type: plain,
    body: {
      propagationPolicy: 'Foreground',
      preconditions: { resourceVersion: currentVersion },
      dryRun: ['All'],
      gracePeriodSeconds: 1,
    },
  },
]
