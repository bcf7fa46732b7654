/** Kinds that are answered and never stored: POST only. */
import { defineBuiltin } from '../define.ts'
import { boolean, keptList, listOf, long, mapOf, record, type Schema, strings, text, time } from '../openapi-types.ts'
import type { Resource } from '../resource.ts'

const selector = record({
  rawSelector: text,
  requirements: listOf(record({ key: text, operator: text, values: strings })),
})
const resourceAttributes = record({
  namespace: text,
  verb: text,
  group: text,
  version: text,
  resource: text,
  subresource: text,
  name: text,
  fieldSelector: selector,
  labelSelector: selector,
})
const nonResourceAttributes = record({ path: text, verb: text })
const extra = mapOf(strings)
const accessStatus = record({ allowed: boolean, denied: boolean, reason: text, evaluationError: text })
const userInfo = record({ username: text, uid: text, groups: strings, extra })

const subject = { user: text, groups: strings, uid: text, extra }

interface Review {
  readonly group: string
  readonly plural: string
  readonly kind: string
  readonly namespaced?: boolean
  readonly fields: { readonly [name: string]: Schema }
}

const authorization = 'authorization.k8s.io'
const authentication = 'authentication.k8s.io'

const all: readonly Review[] = [
  {
    group: authorization,
    plural: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    fields: { spec: record({ resourceAttributes, nonResourceAttributes }), status: accessStatus },
  },
  {
    group: authorization,
    plural: 'subjectaccessreviews',
    kind: 'SubjectAccessReview',
    fields: { spec: record({ resourceAttributes, nonResourceAttributes, ...subject }), status: accessStatus },
  },
  {
    group: authorization,
    plural: 'localsubjectaccessreviews',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
    fields: { spec: record({ resourceAttributes, nonResourceAttributes, ...subject }), status: accessStatus },
  },
  {
    group: authorization,
    plural: 'selfsubjectrulesreviews',
    kind: 'SelfSubjectRulesReview',
    fields: {
      spec: record({ namespace: text }),
      status: record({
        resourceRules: keptList(
          record({ verbs: strings, apiGroups: strings, resources: strings, resourceNames: strings }),
        ),
        nonResourceRules: keptList(record({ verbs: strings, nonResourceURLs: strings })),
        incomplete: boolean,
        evaluationError: text,
      }),
    },
  },
  {
    group: authentication,
    plural: 'selfsubjectreviews',
    kind: 'SelfSubjectReview',
    fields: { status: record({ userInfo }) },
  },
  {
    group: authentication,
    plural: 'tokenreviews',
    kind: 'TokenReview',
    fields: {
      spec: record({ token: text, audiences: strings }),
      status: record({ authenticated: boolean, user: userInfo, audiences: strings, error: text }),
    },
  },
]

export const reviews: readonly Resource[] = all.map(({ group, plural, kind, namespaced, fields }) =>
  defineBuiltin({ group, plural, kind, clusterScoped: !namespaced, verbs: ['create'], fields }),
)

/** Body of `serviceaccounts/NAME/token`; not a resource of its own. */
export const tokenRequest: Resource = defineBuiltin({
  group: authentication,
  plural: 'tokenrequests',
  kind: 'TokenRequest',
  verbs: ['create'],
  fields: {
    spec: record({
      audiences: strings,
      expirationSeconds: long,
      boundObjectRef: record({ kind: text, apiVersion: text, name: text, uid: text }),
    }),
    status: record({ token: text, expirationTimestamp: time }),
  },
})

/** Body of `/scale`. */
export const scaleResource: Resource = defineBuiltin({
  group: 'autoscaling',
  plural: 'scales',
  kind: 'Scale',
  verbs: ['get', 'patch', 'update'],
  fields: { spec: record({ replicas: long }), status: record({ replicas: long, selector: text }) },
})
