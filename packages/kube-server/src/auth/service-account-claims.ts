/** Claims of service account tokens: built for signing, parsed after verification. Pure. */
import type { Json, JsonObject } from '../api/object.ts'
import { objectOf } from './rbac-objects.ts'
import { serviceAccountName } from './well-known.ts'

/** Object whose life bounds the life of a token. */
export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node'
  readonly name: string
  readonly uid: string
}

export interface TokenClaims {
  readonly id: string
  readonly audiences: readonly string[]
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly bound?: BoundObject
  /** Epoch seconds. */
  readonly issuedAt: number
  readonly notBefore: number
  readonly expiresAt: number
}

const boundMembers = [
  ['Pod', 'pod'],
  ['Secret', 'secret'],
  ['Node', 'node'],
] as const

/** The claims as they go into a token. */
export function claimsJson(claims: TokenClaims, issuer: string): JsonObject {
  const { bound } = claims
  const member = boundMembers.find(([kind]) => kind === bound?.kind)
  return {
    aud: [...claims.audiences],
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: issuer,
    jti: claims.id,
    'kubernetes.io': {
      namespace: claims.namespace,
      ...(bound && member && { [member[1]]: { name: bound.name, uid: bound.uid } }),
      serviceaccount: { name: claims.name, uid: claims.uid },
    },
    nbf: claims.notBefore,
    sub: serviceAccountName(claims.namespace, claims.name),
  }
}

const text = (value: Json | undefined) => (typeof value === 'string' ? value : '')

function readBound(own: JsonObject): BoundObject | undefined {
  for (const [kind, member] of boundMembers) {
    const { name, uid } = objectOf(own[member])
    if (name !== undefined) return { kind, name: text(name), uid: text(uid) }
  }
  return undefined
}

function readAudiences(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** Reads the claims of a token whose signature holds; undefined when they are not those of `issuer`. */
export function parseClaims(claims: JsonObject, issuer: string): TokenClaims | undefined {
  const own = objectOf(claims['kubernetes.io'])
  const account = objectOf(own['serviceaccount'])
  const { exp, iat, nbf, jti } = claims
  const namespace = text(own['namespace'])
  const name = text(account['name'])
  const uid = text(account['uid'])
  const isWhole = namespace !== '' && name !== '' && uid !== ''
  if (!isWhole || claims['iss'] !== issuer || claims['sub'] !== serviceAccountName(namespace, name)) return undefined
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number') return undefined
  const bound = readBound(own)
  return {
    id: text(jti),
    audiences: readAudiences(claims['aud']),
    namespace,
    name,
    uid,
    ...(bound && { bound }),
    issuedAt: iat,
    notBefore: nbf,
    expiresAt: exp,
  }
}
