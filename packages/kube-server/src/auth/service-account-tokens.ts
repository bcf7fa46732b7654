/** Tokens of service accounts: issued, and verified for as long as account and bound object live. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '@godwit/ports'
import type { JsonObject } from '../api/object.ts'
import type { User } from '../api/user.ts'
import type { Store, Stored } from '../store/types.ts'
import { BoundedCache } from './bounded-cache.ts'
import { loadSigningKey, newSigningKeyPem, publicKeyJson, readToken, type SigningKey, signToken } from './jwt.ts'
import { type KeyStore, readOrCreate } from './key-store.ts'
import { type BoundObject, claimsJson, parseClaims, type TokenClaims } from './service-account-claims.ts'
import { serviceAccountGroups, serviceAccountName } from './well-known.ts'

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local'
const KEY_NAME = 'service-account.key'
/** Verified signatures remembered: more than the agents of one hub, a few MiB at most. */
const CACHED_TOKENS = 8192
/** An object being deleted still vouches for its tokens this long, as on a real server. */
const DELETION_LEEWAY_MS = 60_000
/** Clocks of issuer and verifier are the same; this only covers rounding to seconds. */
const NOT_BEFORE_LEEWAY_S = 1

const collections: Readonly<Record<BoundObject['kind'], string>> = Object.freeze({
  Pod: 'pods',
  Secret: 'secrets',
  Node: 'nodes',
})

export interface TokenOptions {
  readonly store: Store
  readonly clock: Clock
  /** PEM, RSA or EC P-256; or such a key, loaded. */
  readonly signingKey: string | SigningKey
  readonly issuer?: string
  /** Audiences of this server; default: the issuer. */
  readonly audiences?: readonly string[]
}

export interface IssuedToken {
  readonly token: string
  readonly expiresAtMs: number
}

/** What a token stands for, and for whom it was made. */
export interface VerifiedToken {
  readonly user: User
  readonly audiences: readonly string[]
}

export class ServiceAccountTokens {
  readonly audiences: readonly string[]
  readonly #issuer: string
  readonly #store: Store
  readonly #clock: Clock
  /** As it was loaded: for other servers with the same key. */
  readonly signingKey: SigningKey
  readonly #verified = new BoundedCache<TokenClaims>(CACHED_TOKENS)

  constructor(options: TokenOptions) {
    this.#store = options.store
    this.#clock = options.clock
    const { signingKey } = options
    this.signingKey = typeof signingKey === 'string' ? loadSigningKey(signingKey) : signingKey
    this.#issuer = options.issuer ?? defaultIssuer
    this.audiences = options.audiences ?? [this.#issuer]
  }

  /** With the signing key that `keys` holds, so that tokens outlive a restart; makes one the first time. */
  static async open(
    options: Omit<TokenOptions, 'signingKey'> & { readonly keys: KeyStore },
  ): Promise<ServiceAccountTokens> {
    const signingKey = await readOrCreate(options.keys, KEY_NAME, newSigningKeyPem)
    return new ServiceAccountTokens({ ...options, signingKey })
  }

  /** Makes a token for a stored ServiceAccount. */
  issue(options: {
    readonly serviceAccount: Stored
    readonly expirationSeconds: number
    readonly audiences?: readonly string[]
    readonly bound?: BoundObject
  }): IssuedToken {
    const { namespace, name, uid } = options.serviceAccount.object.metadata
    const nowSeconds = Math.floor(this.#clock.now() / 1000)
    const expiresAt = nowSeconds + options.expirationSeconds
    const claims: TokenClaims = {
      id: randomUUID(),
      audiences: options.audiences?.length ? options.audiences : this.audiences,
      namespace: namespace ?? '',
      name,
      uid,
      ...(options.bound && { bound: options.bound }),
      issuedAt: nowSeconds,
      notBefore: nowSeconds,
      expiresAt,
    }
    return { token: signToken(this.signingKey, claimsJson(claims, this.#issuer)), expiresAtMs: expiresAt * 1000 }
  }

  /**
   * Who the token stands for; undefined when it is not ours, expired, made for none of `audiences` (default: this
   * server's), or its account or bound object is gone. A signature is checked once, everything else every time.
   */
  verify(token: string, audiences: readonly string[] = this.audiences): VerifiedToken | undefined {
    const claims = this.#claimsOf(token)
    if (claims === undefined) return undefined
    if (!this.#isInTime(claims)) {
      this.#verified.delete(token)
      return undefined
    }
    const shared = claims.audiences.filter(audience => audiences.includes(audience))
    if (shared.length === 0 || !this.#isAlive(claims)) return undefined
    return { user: userOf(claims), audiences: shared }
  }

  /** Public key as a JSON Web Key Set, served at `/openid/v1/jwks`. */
  keySet(): JsonObject {
    return { keys: [publicKeyJson(this.signingKey)] }
  }

  /** Discovery document, served at `/.well-known/openid-configuration`; `baseUrl` is the server's own. */
  discovery(baseUrl: string): JsonObject {
    return {
      issuer: this.#issuer,
      jwks_uri: `${baseUrl}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.signingKey.algorithm],
    }
  }

  #claimsOf(token: string): TokenClaims | undefined {
    const known = this.#verified.get(token)
    if (known !== undefined) return known
    const signed = readToken(this.signingKey, token)
    const claims = signed && parseClaims(signed, this.#issuer)
    if (claims !== undefined) this.#verified.set(token, claims)
    return claims
  }

  #isInTime({ notBefore, expiresAt }: TokenClaims): boolean {
    const nowSeconds = this.#clock.now() / 1000
    return nowSeconds < expiresAt && nowSeconds + NOT_BEFORE_LEEWAY_S >= notBefore
  }

  #isAlive({ namespace, name, uid, bound }: TokenClaims): boolean {
    if (!this.#isSame('serviceaccounts', namespace, { name, uid })) return false
    return bound === undefined || this.#isSame(collections[bound.kind], bound.kind === 'Node' ? '' : namespace, bound)
  }

  #isSame(collection: string, namespace: string, wanted: { name: string; uid: string }): boolean {
    const stored = this.#store.get({ collection, namespace, name: wanted.name })
    if (stored === undefined || stored.object.metadata.uid !== wanted.uid) return false
    const { deletionTimestamp } = stored.object.metadata
    return deletionTimestamp === undefined || Date.parse(deletionTimestamp) + DELETION_LEEWAY_MS > this.#clock.now()
  }
}

function userOf({ namespace, name, uid, id, bound }: TokenClaims): User {
  const member = bound && bound.kind !== 'Secret' ? bound.kind.toLowerCase() : undefined
  return {
    name: serviceAccountName(namespace, name),
    uid,
    groups: serviceAccountGroups(namespace),
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${id}`],
      ...(bound &&
        member && {
          [`authentication.kubernetes.io/${member}-name`]: [bound.name],
          [`authentication.kubernetes.io/${member}-uid`]: [bound.uid],
        }),
    },
  }
}
