/** authorization.k8s.io: may somebody do something? Each review is a question answered from the roles; nothing is stored. */
import { invalidValue } from '../api/causes.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { badRequest, type Cause } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import type { Access, Authorizer, Decision } from './access.ts'
import { type PolicyRule, ruleJson } from './policy-rule.ts'
import {
  answer,
  assertValid,
  metadataCauses,
  objectAt,
  type ReviewKind,
  readExtra,
  specOf,
  stringAt,
  stringsAt,
} from './review-body.ts'

const group = 'authorization.k8s.io'
const kinds = Object.freeze({
  self: { group, kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews' },
  any: { group, kind: 'SubjectAccessReview', plural: 'subjectaccessreviews' },
  local: { group, kind: 'LocalSubjectAccessReview', plural: 'localsubjectaccessreviews' },
  rules: { group, kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews' },
} satisfies Record<string, ReviewKind>)

/** More rules than this are cut off, and the answer says that it is incomplete. */
const MAX_RULES_ANSWERED = 20_000

function attributeCauses(spec: JsonObject): Cause[] {
  const resource = spec['resourceAttributes']
  const path = spec['nonResourceAttributes']
  if (resource && path) {
    return [
      invalidValue('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes'),
    ]
  }
  if (resource || path) return []
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return [invalidValue('spec.resourceAttributes', null, why)]
}

function accessOf(user: User, spec: JsonObject): Access {
  const path = objectAt(spec, 'nonResourceAttributes', 'spec')
  if (path) {
    const at = 'spec.nonResourceAttributes'
    return { user, verb: stringAt(path, 'verb', at), path: stringAt(path, 'path', at) }
  }
  const at = 'spec.resourceAttributes'
  const asked = objectAt(spec, 'resourceAttributes', 'spec') ?? {}
  return {
    user,
    verb: stringAt(asked, 'verb', at),
    group: stringAt(asked, 'group', at),
    resource: stringAt(asked, 'resource', at),
    subresource: stringAt(asked, 'subresource', at),
    name: stringAt(asked, 'name', at),
    namespace: stringAt(asked, 'namespace', at),
  }
}

const statusOf = ({ allowed, reason }: Decision): JsonObject => ({ allowed, ...(reason && { reason }) })

/** May the caller do it? Throws 400 or 422. */
export function selfSubjectAccessReview(body: JsonObject, caller: User, authorizer: Authorizer): JsonObject {
  const spec = specOf(body)
  assertValid(kinds.self, [...attributeCauses(spec), ...metadataCauses(body)])
  return answer(kinds.self, 'v1', body, statusOf(authorizer.authorize(accessOf(caller, spec))))
}

function subjectCauses(spec: JsonObject): Cause[] {
  if (stringAt(spec, 'user', 'spec') || stringsAt(spec, 'groups', 'spec').length > 0) return []
  return [invalidValue('spec.user', '', 'at least one of user or group must be specified')]
}

function subjectOf(spec: JsonObject): User {
  const uid = stringAt(spec, 'uid', 'spec')
  const extra = readExtra(spec)
  return {
    name: stringAt(spec, 'user', 'spec'),
    ...(uid && { uid }),
    groups: stringsAt(spec, 'groups', 'spec'),
    ...(extra && { extra }),
  }
}

/** May the user named in the body do it? Throws 400 or 422. */
export function subjectAccessReview(body: JsonObject, authorizer: Authorizer): JsonObject {
  const spec = specOf(body)
  assertValid(kinds.any, [...attributeCauses(spec), ...subjectCauses(spec), ...metadataCauses(body)])
  return answer(kinds.any, 'v1', body, statusOf(authorizer.authorize(accessOf(subjectOf(spec), spec))))
}

function localCauses(spec: JsonObject, namespace: string): Cause[] {
  const path: Json | undefined = spec['nonResourceAttributes']
  if (path) return [invalidValue('spec.nonResourceAttributes', path, 'disallowed on this kind of request')]
  const asked = stringAt(objectAt(spec, 'resourceAttributes', 'spec') ?? {}, 'namespace', 'spec.resourceAttributes')
  if (asked === namespace) return []
  return [invalidValue('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace')]
}

/** Like `subjectAccessReview`, in the namespace of the path alone. Throws 400 or 422. */
export function localSubjectAccessReview(body: JsonObject, namespace: string, authorizer: Authorizer): JsonObject {
  const spec = specOf(body)
  const told = stringAt(objectAt(body, 'metadata', 'body') ?? {}, 'namespace', 'metadata')
  if (told !== '' && told !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  assertValid(kinds.local, [
    ...attributeCauses(spec),
    ...subjectCauses(spec),
    ...metadataCauses(body, ['namespace']),
    ...localCauses(spec, namespace),
  ])
  const status = statusOf(authorizer.authorize(accessOf(subjectOf(spec), spec)))
  const answered = answer(kinds.local, 'v1', body, status)
  return { ...answered, metadata: { ...objectAt(answered, 'metadata', 'body'), namespace } }
}

function resourceRule(rule: PolicyRule): JsonObject {
  const { nonResourceURLs: _, ...resource } = ruleJson(rule)
  return resource
}

/** Everything the caller may do in one namespace. Throws 400 without namespace. */
export function selfSubjectRulesReview(body: JsonObject, caller: User, authorizer: Authorizer): JsonObject {
  const namespace = stringAt(specOf(body), 'namespace', 'spec')
  if (namespace === '') throw badRequest('no namespace on request')
  const { rules, errors } = authorizer.rulesFor(caller, namespace)
  const told = rules.slice(0, MAX_RULES_ANSWERED)
  const isIncomplete = told.length < rules.length || errors.length > 0
  return answer(kinds.rules, 'v1', body, {
    resourceRules: told.filter(rule => rule.resources.length > 0).map(resourceRule),
    nonResourceRules: told
      .filter(rule => rule.nonResourceURLs.length > 0)
      .map(rule => ({ verbs: [...rule.verbs], nonResourceURLs: [...rule.nonResourceURLs] })),
    incomplete: isIncomplete,
    ...(errors.length > 0 && { evaluationError: errors.join(', ') }),
  })
}
