/** Roles and bindings that every cluster has. Objects without uid and version: whoever writes them fills those in. */
import type { JsonObject } from '../api/object.ts'
import { rbacGroup } from './rbac-objects.ts'
import { authenticatedGroup, mastersGroup, unauthenticatedGroup } from './well-known.ts'

/** An object as a client would create it. */
export interface PolicyObject extends JsonObject {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: { [key: string]: string }; annotations: { [key: string]: string } }
}

const apiVersion = `${rbacGroup}/v1`

const metadata = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
})

const rule = (verbs: readonly string[], apiGroup: string, resources: readonly string[], names?: readonly string[]) => ({
  verbs: [...verbs],
  apiGroups: [apiGroup],
  resources: [...resources],
  ...(names && { resourceNames: [...names] }),
})

const paths = (urls: readonly string[]) => ({ verbs: ['get'], nonResourceURLs: [...urls] })

const role = (name: string, rules: JsonObject[], labels?: Readonly<Record<string, string>>): PolicyObject => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: metadata(name, labels),
  rules,
})

const aggregateLabel = (level: string) => ({ [`${rbacGroup}/aggregate-to-${level}`]: 'true' })

/** A role made of all roles that carry its label; the next lower level is one of them. */
const aggregated = (level: string, higher?: string): PolicyObject => ({
  ...role(level, [], higher ? aggregateLabel(higher) : {}),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregateLabel(level) }] },
})

const binding = (name: string, roleName: string, groups: readonly string[]): PolicyObject => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
  subjects: groups.map(group => ({ apiGroup: rbacGroup, kind: 'Group', name: group })),
})

const READ = Object.freeze(['get', 'list', 'watch'])
const WRITE = Object.freeze(['create', 'delete', 'deletecollection', 'patch', 'update'])
const ALL_VERBS = Object.freeze(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'])

function levels(): PolicyObject[] {
  const readable = ['configmaps', 'endpoints', 'events', 'namespaces', 'pods', 'pods/log', 'pods/status']
  const core = [...readable, 'persistentvolumeclaims', 'serviceaccounts', 'services', 'services/status']
  const workloads = ['daemonsets', 'deployments', 'deployments/scale', 'replicasets', 'statefulsets']
  const writable = [
    'configmaps',
    'endpoints',
    'events',
    'persistentvolumeclaims',
    'pods',
    'serviceaccounts',
    'services',
  ]
  return [
    aggregated('admin'),
    aggregated('edit', 'admin'),
    aggregated('view', 'edit'),
    role(
      'system:aggregate-to-admin',
      [
        rule(['create'], 'authorization.k8s.io', ['localsubjectaccessreviews']),
        rule(ALL_VERBS, rbacGroup, ['rolebindings', 'roles']),
      ],
      aggregateLabel('admin'),
    ),
    role(
      'system:aggregate-to-edit',
      [
        rule(READ, '', ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy']),
        rule(['impersonate'], '', ['serviceaccounts']),
        rule(['create'], '', ['serviceaccounts/token', 'pods/eviction']),
        rule(WRITE, '', ['secrets', ...writable]),
        rule(WRITE, 'apps', workloads),
        rule(WRITE, 'batch', ['cronjobs', 'jobs']),
        rule(WRITE, 'networking.k8s.io', ['ingresses', 'networkpolicies']),
        rule(ALL_VERBS, 'coordination.k8s.io', ['leases']),
        rule(ALL_VERBS, 'events.k8s.io', ['events']),
      ],
      aggregateLabel('edit'),
    ),
    role(
      'system:aggregate-to-view',
      [
        rule(READ, '', core),
        rule(READ, 'apps', workloads),
        rule(READ, 'batch', ['cronjobs', 'jobs']),
        rule(READ, 'networking.k8s.io', ['ingresses', 'networkpolicies']),
        rule(READ, 'events.k8s.io', ['events']),
      ],
      aggregateLabel('view'),
    ),
  ]
}

const signerRole = (name: string, verb: string, signer: string) =>
  role(`system:certificates.k8s.io:${name}`, [rule([verb], 'certificates.k8s.io', ['signers'], [signer])])

function certificateRoles(): PolicyObject[] {
  return [
    signerRole('kube-apiserver-client-approver', 'approve', 'kubernetes.io/kube-apiserver-client'),
    signerRole('kube-apiserver-client-kubelet-approver', 'approve', 'kubernetes.io/kube-apiserver-client-kubelet'),
    signerRole('kubelet-serving-approver', 'approve', 'kubernetes.io/kubelet-serving'),
    signerRole('legacy-unknown-approver', 'approve', 'kubernetes.io/legacy-unknown'),
    role('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
      rule(['create'], 'certificates.k8s.io', ['certificatesigningrequests/nodeclient']),
    ]),
    role('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
      rule(['create'], 'certificates.k8s.io', ['certificatesigningrequests/selfnodeclient']),
    ]),
    role('system:node-bootstrapper', [
      rule(['create', ...READ], 'certificates.k8s.io', ['certificatesigningrequests']),
    ]),
  ]
}

const DISCOVERY_PATHS = Object.freeze([
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
])
const PUBLIC_PATHS = Object.freeze(['/healthz', '/livez', '/readyz', '/version', '/version/'])
const ISSUER_PATHS = Object.freeze([
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/',
  '/openid/v1/jwks',
  '/openid/v1/jwks/',
])
const MONITORED_PATHS = Object.freeze([
  '/healthz',
  '/healthz/*',
  '/livez',
  '/livez/*',
  '/metrics',
  '/metrics/slis',
  '/readyz',
  '/readyz/*',
])

function systemRoles(): PolicyObject[] {
  return [
    role('cluster-admin', [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ]),
    role('system:basic-user', [
      rule(['create'], 'authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']),
      rule(['create'], 'authentication.k8s.io', ['selfsubjectreviews']),
    ]),
    role('system:discovery', [paths(DISCOVERY_PATHS)]),
    role('system:public-info-viewer', [paths(PUBLIC_PATHS)]),
    role('system:service-account-issuer-discovery', [paths(ISSUER_PATHS)]),
    role('system:monitoring', [paths(MONITORED_PATHS)]),
    role('system:auth-delegator', [
      rule(['create'], 'authentication.k8s.io', ['tokenreviews']),
      rule(['create'], 'authorization.k8s.io', ['subjectaccessreviews']),
    ]),
  ]
}

/** All default objects, roles before the bindings that name them. Fresh copies on each call. */
export function bootstrapPolicy(): PolicyObject[] {
  return [
    ...systemRoles(),
    ...levels(),
    ...certificateRoles(),
    binding('cluster-admin', 'cluster-admin', [mastersGroup]),
    binding('system:basic-user', 'system:basic-user', [authenticatedGroup]),
    binding('system:discovery', 'system:discovery', [authenticatedGroup]),
    binding('system:public-info-viewer', 'system:public-info-viewer', [authenticatedGroup, unauthenticatedGroup]),
    binding('system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', [
      'system:serviceaccounts',
    ]),
    binding('system:monitoring', 'system:monitoring', ['system:monitoring']),
  ]
}
