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
  Authenticator,
  type AuthenticatorOptions,
  bearerToken,
  type Credentials,
  type StaticUser,
  unauthorized,
} from './authenticator.ts'
export {
  assertMayAggregate,
  assertMayBind,
  assertMayGrantRules,
  assertMayWriteRbac,
  type RbacWrite,
} from './escalation.ts'
export type { RequestHeaders } from './impersonation.ts'
export { fileKeyStore, type KeyStore, memoryKeyStore, readOrCreate } from './key-store.ts'
export type { PolicyRule } from './policy-rule.ts'
export { openAuthorizer, RbacAuthorizer } from './rbac-authorizer.ts'
export { defaultBinding, roleRefChange, validateBinding, validateRole } from './rbac-validation.ts'
export type { BoundObject } from './service-account-claims.ts'
export { defaultIssuer, type IssuedToken, ServiceAccountTokens, type VerifiedToken } from './service-account-tokens.ts'
export {
  adminUser,
  anonymousUser,
  authenticated,
  serviceAccountGroups,
  serviceAccountName,
  splitServiceAccountName,
} from './well-known.ts'
