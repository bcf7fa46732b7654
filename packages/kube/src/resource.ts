import type { Ref } from './object.ts'

/** Names a REST collection of a Kubernetes API. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

/**
 * @param apiVersion `v1` or `group/version`
 * @param plural the name in the URL, lower case
 */
export function defineResource(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster',
): Resource {
  const [first = '', second] = apiVersion.split('/')
  const [group, version] = second === undefined ? ['', first] : [first, second]
  return Object.freeze({ group, version, plural, kind, namespaced: scope === 'Namespaced' })
}

const rbac = 'rbac.authorization.k8s.io/v1'
const authorization = 'authorization.k8s.io/v1'
const authentication = 'authentication.k8s.io/v1'

/** Kinds that every cluster serves. */
export const resources = Object.freeze({
  namespaces: defineResource('v1', 'Namespace', 'namespaces', 'Cluster'),
  secrets: defineResource('v1', 'Secret', 'secrets', 'Namespaced'),
  configMaps: defineResource('v1', 'ConfigMap', 'configmaps', 'Namespaced'),
  serviceAccounts: defineResource('v1', 'ServiceAccount', 'serviceaccounts', 'Namespaced'),
  services: defineResource('v1', 'Service', 'services', 'Namespaced'),
  events: defineResource('v1', 'Event', 'events', 'Namespaced'),
  pods: defineResource('v1', 'Pod', 'pods', 'Namespaced'),
  nodes: defineResource('v1', 'Node', 'nodes', 'Cluster'),
  deployments: defineResource('apps/v1', 'Deployment', 'deployments', 'Namespaced'),
  leases: defineResource('coordination.k8s.io/v1', 'Lease', 'leases', 'Namespaced'),
  certificateSigningRequests: defineResource(
    'certificates.k8s.io/v1',
    'CertificateSigningRequest',
    'certificatesigningrequests',
    'Cluster',
  ),
  roles: defineResource(rbac, 'Role', 'roles', 'Namespaced'),
  roleBindings: defineResource(rbac, 'RoleBinding', 'rolebindings', 'Namespaced'),
  clusterRoles: defineResource(rbac, 'ClusterRole', 'clusterroles', 'Cluster'),
  clusterRoleBindings: defineResource(rbac, 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster'),
  customResourceDefinitions: defineResource(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    'Cluster',
  ),
  selfSubjectAccessReviews: defineResource(
    authorization,
    'SelfSubjectAccessReview',
    'selfsubjectaccessreviews',
    'Cluster',
  ),
  subjectAccessReviews: defineResource(authorization, 'SubjectAccessReview', 'subjectaccessreviews', 'Cluster'),
  selfSubjectReviews: defineResource(authentication, 'SelfSubjectReview', 'selfsubjectreviews', 'Cluster'),
  tokenReviews: defineResource(authentication, 'TokenReview', 'tokenreviews', 'Cluster'),
})

/** `v1` or `group/version`. */
export const apiVersionOf = ({ group, version }: Resource) => (group ? `${group}/${version}` : version)

/** `leases.coordination.k8s.io`, `secrets`: how a resource is named in counts and log lines. */
export const resourceName = ({ group, plural }: Resource) => (group ? `${plural}.${group}` : plural)

/** URL path of the group version, as discovery serves it. */
export const groupVersionPath = ({ group, version }: Resource) =>
  group ? `/apis/${group}/${version}` : `/api/${version}`

/** URL path of a collection; without a namespace, that of the whole cluster. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = groupVersionPath(resource)
  if (!resource.namespaced || namespace === undefined) return `${root}/${resource.plural}`
  return `${root}/namespaces/${segment(resource, 'namespace', namespace)}/${resource.plural}`
}

/** URL path of the collection that an object of this namespace is created in. Throws when it must be named and is not. */
export function homePath(resource: Resource, namespace: string | undefined): string {
  if (resource.namespaced && namespace === undefined)
    throw new TypeError(`${resource.kind} is namespaced: metadata.namespace is missing`)
  return collectionPath(resource, namespace)
}

/** URL path of one object, or of its subresource. Throws a TypeError for a reference that cannot name an object. */
export function objectPath(resource: Resource, ref: Ref, subresource?: string): string {
  const path = `${homePath(resource, ref.namespace)}/${segment(resource, 'name', ref.name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

/** An empty name would turn the delete of an object into the delete of its collection; dots would climb the path. */
function segment({ kind }: Resource, what: string, text: string): string {
  if (text === '' || text === '.' || text === '..' || text.includes('/'))
    throw new TypeError(`${kind}: ${JSON.stringify(text)} is not a ${what}`)
  return encodeURIComponent(text)
}
