/** Messages of the kinds that clients send in protobuf: field numbers as in the published definitions of Kubernetes. */
import {
  binary,
  binaryMap,
  embeddedJson,
  flag,
  integer,
  list,
  type Message,
  message,
  microTime,
  nested,
  optionalBinary,
  plainInteger,
  text,
  textMap,
  texts,
  textsMap,
  time,
} from './field-types.ts'

const managedFieldsEntry = message({
  1: ['manager', text],
  2: ['operation', text],
  3: ['apiVersion', text],
  4: ['time', time],
  6: ['fieldsType', text],
  7: ['fieldsV1', embeddedJson],
  8: ['subresource', text],
})

const ownerReference = message({
  1: ['kind', text],
  3: ['name', text],
  4: ['uid', text],
  5: ['apiVersion', text],
  6: ['controller', flag],
  7: ['blockOwnerDeletion', flag],
})

const objectMeta = message({
  1: ['name', text],
  2: ['generateName', text],
  3: ['namespace', text],
  5: ['uid', text],
  6: ['resourceVersion', text],
  7: ['generation', plainInteger],
  8: ['creationTimestamp', time],
  9: ['deletionTimestamp', time],
  10: ['deletionGracePeriodSeconds', integer],
  11: ['labels', textMap],
  12: ['annotations', textMap],
  13: ['ownerReferences', list(ownerReference)],
  14: ['finalizers', texts],
  17: ['managedFields', list(managedFieldsEntry)],
})

const metadata = ['metadata', nested(objectMeta)] as const

const objectReference = message({
  1: ['kind', text],
  2: ['namespace', text],
  3: ['name', text],
  4: ['uid', text],
  5: ['apiVersion', text],
  6: ['resourceVersion', text],
  7: ['fieldPath', text],
})

const labelSelector = message({
  1: ['matchLabels', textMap],
  2: ['matchExpressions', list(message({ 1: ['key', text], 2: ['operator', text], 3: ['values', texts] }))],
})

const condition = message({
  1: ['type', text],
  2: ['status', text],
  4: ['lastTransitionTime', time],
  5: ['reason', text],
  6: ['message', text],
})

const namespace = message({
  1: metadata,
  2: ['spec', nested(message({ 1: ['finalizers', texts] }))],
  3: ['status', nested(message({ 1: ['phase', text], 2: ['conditions', list(condition)] }))],
})

const configMap = message({
  1: metadata,
  2: ['data', textMap],
  3: ['binaryData', binaryMap],
  4: ['immutable', flag],
})

const secret = message({
  1: metadata,
  2: ['data', binaryMap],
  3: ['type', text],
  4: ['stringData', textMap],
  5: ['immutable', flag],
})

const serviceAccount = message({
  1: metadata,
  2: ['secrets', list(objectReference)],
  3: ['imagePullSecrets', list(message({ 1: ['name', text] }))],
  4: ['automountServiceAccountToken', flag],
})

const policyRule = message({
  1: ['verbs', texts],
  2: ['apiGroups', texts],
  3: ['resources', texts],
  4: ['resourceNames', texts],
  5: ['nonResourceURLs', texts],
})

const role = message({ 1: metadata, 2: ['rules', list(policyRule)] })
const clusterRole = message({
  1: metadata,
  2: ['rules', list(policyRule)],
  3: ['aggregationRule', nested(message({ 1: ['clusterRoleSelectors', list(labelSelector)] }))],
})

const subject = message({ 1: ['kind', text], 2: ['apiGroup', text], 3: ['name', text], 4: ['namespace', text] })
const roleRef = message({ 1: ['apiGroup', text], 2: ['kind', text], 3: ['name', text] })
const binding = message({ 1: metadata, 2: ['subjects', list(subject)], 3: ['roleRef', nested(roleRef)] })

const selectorAttributes = (requirement: Message) =>
  message({ 1: ['rawSelector', text], 2: ['requirements', list(requirement)] })
const requirement = message({ 1: ['key', text], 2: ['operator', text], 3: ['values', texts] })

const resourceAttributes = message({
  1: ['namespace', text],
  2: ['verb', text],
  3: ['group', text],
  4: ['version', text],
  5: ['resource', text],
  6: ['subresource', text],
  7: ['name', text],
  8: ['fieldSelector', nested(selectorAttributes(requirement))],
  9: ['labelSelector', nested(selectorAttributes(requirement))],
})
const nonResourceAttributes = message({ 1: ['path', text], 2: ['verb', text] })

const selfSubjectAccessReview = message({
  1: metadata,
  2: [
    'spec',
    nested(
      message({
        1: ['resourceAttributes', nested(resourceAttributes)],
        2: ['nonResourceAttributes', nested(nonResourceAttributes)],
      }),
    ),
  ],
})

const subjectAccessReview = message({
  1: metadata,
  2: [
    'spec',
    nested(
      message({
        1: ['resourceAttributes', nested(resourceAttributes)],
        2: ['nonResourceAttributes', nested(nonResourceAttributes)],
        3: ['user', text],
        4: ['groups', texts],
        5: ['extra', textsMap],
        6: ['uid', text],
      }),
    ),
  ],
})

const selfSubjectRulesReview = message({ 1: metadata, 2: ['spec', nested(message({ 1: ['namespace', text] }))] })
const selfSubjectReview = message({ 1: metadata })
const tokenReview = message({
  1: metadata,
  2: ['spec', nested(message({ 1: ['token', text], 2: ['audiences', texts] }))],
})

const boundObjectReference = message({
  1: ['kind', text],
  2: ['apiVersion', text],
  3: ['name', text],
  4: ['uid', text],
})
const tokenRequest = message({
  1: metadata,
  2: [
    'spec',
    nested(
      message({
        1: ['audiences', texts],
        3: ['boundObjectRef', nested(boundObjectReference)],
        4: ['expirationSeconds', integer],
      }),
    ),
  ],
})

const signingCondition = message({
  1: ['type', text],
  2: ['reason', text],
  3: ['message', text],
  4: ['lastUpdateTime', time],
  5: ['lastTransitionTime', time],
  6: ['status', text],
})
const certificateSigningRequest = message({
  1: metadata,
  2: [
    'spec',
    nested(
      message({
        1: ['request', binary],
        2: ['username', text],
        3: ['uid', text],
        4: ['groups', texts],
        5: ['usages', texts],
        6: ['extra', textsMap],
        7: ['signerName', text],
        8: ['expirationSeconds', integer],
      }),
    ),
  ],
  3: ['status', nested(message({ 1: ['conditions', list(signingCondition)], 2: ['certificate', optionalBinary] }))],
})

const lease = message({
  1: metadata,
  2: [
    'spec',
    nested(
      message({
        1: ['holderIdentity', text],
        2: ['leaseDurationSeconds', integer],
        3: ['acquireTime', microTime],
        4: ['renewTime', microTime],
        5: ['leaseTransitions', integer],
        6: ['strategy', text],
        7: ['preferredHolder', text],
      }),
    ),
  ],
})

const eventSource = message({ 1: ['component', text], 2: ['host', text] })
const eventSeries = message({ 1: ['count', plainInteger], 2: ['lastObservedTime', microTime] })

const coreEvent = message({
  1: metadata,
  2: ['involvedObject', nested(objectReference)],
  3: ['reason', text],
  4: ['message', text],
  5: ['source', nested(eventSource)],
  6: ['firstTimestamp', time],
  7: ['lastTimestamp', time],
  8: ['count', plainInteger],
  9: ['type', text],
  10: ['eventTime', microTime],
  11: ['series', nested(eventSeries)],
  12: ['action', text],
  13: ['related', nested(objectReference)],
  14: ['reportingComponent', text],
  15: ['reportingInstance', text],
})

const event = message({
  1: metadata,
  2: ['eventTime', microTime],
  3: ['series', nested(eventSeries)],
  4: ['reportingController', text],
  5: ['reportingInstance', text],
  6: ['action', text],
  7: ['reason', text],
  8: ['regarding', nested(objectReference)],
  9: ['related', nested(objectReference)],
  10: ['note', text],
  11: ['type', text],
  12: ['deprecatedSource', nested(eventSource)],
  13: ['deprecatedFirstTimestamp', time],
  14: ['deprecatedLastTimestamp', time],
  15: ['deprecatedCount', plainInteger],
})

/** The same in every API version, whichever a client names. */
export const deleteOptions = message({
  1: ['gracePeriodSeconds', integer],
  2: ['preconditions', nested(message({ 1: ['uid', text], 2: ['resourceVersion', text] }))],
  3: ['orphanDependents', flag],
  4: ['propagationPolicy', text],
  5: ['dryRun', texts],
  6: ['ignoreStoreReadErrorWithClusterBreakingPotential', flag],
})

const rbac = 'rbac.authorization.k8s.io/v1'
const authorization = 'authorization.k8s.io/v1'
const authentication = 'authentication.k8s.io/v1'

/** By `apiVersion kind`. */
export const messages: ReadonlyMap<string, Message> = new Map([
  ['v1 Namespace', namespace],
  ['v1 ConfigMap', configMap],
  ['v1 Secret', secret],
  ['v1 ServiceAccount', serviceAccount],
  ['v1 Event', coreEvent],
  ['events.k8s.io/v1 Event', event],
  ['coordination.k8s.io/v1 Lease', lease],
  [`${rbac} Role`, role],
  [`${rbac} ClusterRole`, clusterRole],
  [`${rbac} RoleBinding`, binding],
  [`${rbac} ClusterRoleBinding`, binding],
  [`${authorization} SelfSubjectAccessReview`, selfSubjectAccessReview],
  [`${authorization} SubjectAccessReview`, subjectAccessReview],
  [`${authorization} LocalSubjectAccessReview`, subjectAccessReview],
  [`${authorization} SelfSubjectRulesReview`, selfSubjectRulesReview],
  [`${authentication} SelfSubjectReview`, selfSubjectReview],
  [`${authentication} TokenReview`, tokenReview],
  [`${authentication} TokenRequest`, tokenRequest],
  ['certificates.k8s.io/v1 CertificateSigningRequest', certificateSigningRequest],
])
