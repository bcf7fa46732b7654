/** Questions that are answered and not stored. */
import { rfc3339 } from '@godwit/ports'
import type { JsonObject } from '../api/object.ts'
import {
  type Authenticator,
  localSubjectAccessReview,
  requestToken,
  type ServiceAccountTokens,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  tokenReview,
} from '../auth/index.ts'
import { tokenRequest } from '../registry/builtin/reviews.ts'
import type { Call, Core } from '../rest/call.ts'
import { toDraft } from '../rest/draft.ts'
import { assertNamespaceAccepts } from '../rest/namespace-check.ts'
import { writeOptions } from '../rest/query.ts'
import type { ReviewHandler } from '../rest/resource-handler.ts'

export function reviewHandler(core: Core, authenticator: Authenticator, tokens: ServiceAccountTokens): ReviewHandler {
  const { authorizer, clock, store } = core
  return async (call, body) => {
    const options = writeOptions(call.query, 'create')
    const check = (resource: Call['resource']): JsonObject =>
      toDraft({ ...call, resource, name: '' }, body, {
        duplicates: [],
        validation: options.fieldValidation,
        nameRequired: false,
      })
    if (call.resource.plural === 'serviceaccounts' && call.subresource === 'token') {
      const { namespace, name } = call
      const draft = check(tokenRequest)
      assertNamespaceAccepts(core, call, name)
      return requestToken(draft, { store, tokens, namespace, name, nowMs: clock.now(), isDryRun: options.dryRun })
    }
    if (call.subresource !== '') return undefined
    switch (call.resource.plural) {
      case 'selfsubjectaccessreviews':
        return selfSubjectAccessReview(check(call.resource), call.user, authorizer)
      case 'subjectaccessreviews':
        return subjectAccessReview(check(call.resource), authorizer)
      case 'localsubjectaccessreviews':
        return localSubjectAccessReview(check(call.resource), call.namespace, authorizer)
      case 'selfsubjectrulesreviews':
        return selfSubjectRulesReview(check(call.resource), call.user, authorizer)
      case 'selfsubjectreviews':
        return selfSubjectReview(check(call.resource), call.user, rfc3339(clock.now()))
      case 'tokenreviews':
        return tokenReview(check(call.resource), authenticator)
      default:
        return undefined
    }
  }
}
