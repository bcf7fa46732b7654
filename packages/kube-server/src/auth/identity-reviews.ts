/** authentication.k8s.io: who am I, and who is the bearer of this token? Nothing is stored. */
import type { JsonObject } from '../api/object.ts'
import { badRequest } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import {
  answer,
  assertValid,
  metadataCauses,
  type ReviewKind,
  specOf,
  stringAt,
  stringsAt,
  userJson,
} from './review-body.ts'
import type { VerifiedToken } from './service-account-tokens.ts'

const group = 'authentication.k8s.io'
const selfReview: ReviewKind = Object.freeze({ group, kind: 'SelfSubjectReview', plural: 'selfsubjectreviews' })
const tokenReviewKind: ReviewKind = Object.freeze({ group, kind: 'TokenReview', plural: 'tokenreviews' })

/** Who the caller is. */
export function selfSubjectReview(body: JsonObject, caller: User, nowText: string): JsonObject {
  const answered = answer(selfReview, 'v1', body, { userInfo: userJson(caller) })
  return { ...answered, metadata: { ...(answered['metadata'] as JsonObject), creationTimestamp: nowText } }
}

/** Finds out who a token stands for. */
export interface TokenIdentifier {
  identifyToken(token: string, audiences?: readonly string[]): VerifiedToken | undefined
}

/** Who the bearer of the token in the body is. A bad token is an answer, not an error. Throws 400 without token. */
export function tokenReview(body: JsonObject, identifier: TokenIdentifier): JsonObject {
  const spec = specOf(body)
  const token = stringAt(spec, 'token', 'spec')
  const audiences = stringsAt(spec, 'audiences', 'spec')
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  assertValid(tokenReviewKind, metadataCauses(body))
  const found = identifier.identifyToken(token, audiences.length > 0 ? audiences : undefined)
  const status: JsonObject = found
    ? { authenticated: true, user: userJson(found.user), audiences: [...found.audiences] }
    : { user: {}, error: 'invalid bearer token' }
  return answer(tokenReviewKind, 'v1', body, status)
}
