export {
  type Access,
  type Authorizer,
  assertAllowed,
  type Decision,
  forbidden,
  forbiddenBecause,
  type HeldRules,
  type PathAccess,
  type ResourceAccess,
} from './access.ts'
export {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from './access-reviews.ts'
export {
  Authenticator,
  type AuthenticatorOptions,
  bearerToken,
  type Credentials,
  type StaticUser,
  unauthorized,
} from './authenticator.ts'
export { bootstrapPolicy, type PolicyObject } from './bootstrap-policy.ts'
export {
  assertMayApprove,
  assertMaySign,
  assertSubjectAllowed,
  clientSigner,
  type SignerUse,
  type SigningDecision,
  signingDecision,
} from './certificate-signing.ts'
export {
  assertMayAggregate,
  assertMayBind,
  assertMayGrantRules,
  assertMayWriteRbac,
  type RbacWrite,
} from './escalation.ts'
export { selfSubjectReview, tokenReview } from './identity-reviews.ts'
export type { RequestHeaders } from './impersonation.ts'
export type { SigningKey } from './jwt.ts'
export { fileKeyStore, type KeyStore, memoryKeyStore, readOrCreate } from './key-store.ts'
export { type KubeconfigOptions, renderKubeconfig } from './kubeconfig.ts'
export type { PolicyRule } from './policy-rule.ts'
export { openAuthorizer, RbacAuthorizer } from './rbac-authorizer.ts'
export { defaultBinding, roleRefChange, validateBinding, validateRole } from './rbac-validation.ts'
export { aggregatedRules, RoleAggregation } from './role-aggregation.ts'
export type { BoundObject } from './service-account-claims.ts'
export { defaultIssuer, type IssuedToken, ServiceAccountTokens, type VerifiedToken } from './service-account-tokens.ts'
export { requestToken, type TokenRequestContext } from './token-request.ts'
export {
  adminUser,
  anonymousUser,
  authenticated,
  serviceAccountGroups,
  serviceAccountName,
  splitServiceAccountName,
} from './well-known.ts'
