/** Who calls? Client certificate first, then bearer token, then nobody in particular. */
import { createHash } from 'node:crypto'
import type { Clock } from '@godwit/ports'
import { StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import { type Authority, isTrustedClient, readClientCertificate } from '../pki/index.ts'
import type { Authorizer } from './access.ts'
import { BoundedCache } from './bounded-cache.ts'
import { impersonate, type RequestHeaders, readImpersonation } from './impersonation.ts'
import type { ServiceAccountTokens, VerifiedToken } from './service-account-tokens.ts'
import { adminUser, anonymousUser, authenticated } from './well-known.ts'

/** Connections of one hub's agents, each with one certificate. */
const CACHED_CERTIFICATES = 8192

/** A user whose token is known beforehand. */
export interface StaticUser {
  readonly name: string
  readonly token: string
  readonly uid?: string
  readonly groups?: readonly string[]
}

export interface AuthenticatorOptions {
  readonly authorizer: Authorizer
  readonly clock: Clock
  /** Everybody without valid credentials is system:admin. */
  readonly open?: boolean
  readonly staticUsers?: readonly StaticUser[]
  readonly tokens?: ServiceAccountTokens
  /** Signs the client certificates to be trusted. */
  readonly clientAuthority?: Authority
  /** Default true; false answers 401 to whoever shows no credentials. */
  readonly anonymous?: boolean
}

/** What a request shows of its sender. */
export interface Credentials {
  /** Value of the Authorization header. */
  readonly authorization?: string | undefined
  /** DER (or PEM) of the certificate that the TLS peer proved to own. */
  readonly clientCertificate?: Buffer | string | undefined
  /** A caller known by other means, for instance one in the same process. Goes before everything else. */
  readonly caller?: User | undefined
  /** For the Impersonate-* headers. */
  readonly headers?: RequestHeaders | undefined
}

interface KnownCertificate {
  readonly user: User
  readonly notAfterMs: number
}

export const unauthorized = () => new StatusError(401, 'Unauthorized', 'Unauthorized')

const digest = (text: string | Buffer) => createHash('sha256').update(text).digest('base64')

/** The token of a bearer Authorization header; undefined for other schemes and for none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const [scheme = '', token = ''] = authorization?.trim().split(' ') ?? []
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined
}

export class Authenticator {
  readonly #options: AuthenticatorOptions
  /** By digest: comparing tokens themselves would tell by its time how much of a guess was right. */
  readonly #staticUsers: ReadonlyMap<string, User>
  readonly #certificates = new BoundedCache<KnownCertificate>(CACHED_CERTIFICATES)

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#staticUsers = new Map(
      (options.staticUsers ?? []).map(({ name, token, uid, groups = [] }) => {
        const user = authenticated({ name, groups, ...(uid !== undefined && { uid }) })
        return [digest(token), user]
      }),
    )
  }

  /** The user for whom a request is answered. Throws 401 for bad credentials, 403 for impersonation without right. */
  authenticate(credentials: Credentials): User {
    const caller = credentials.caller ?? this.#identify(credentials)
    const wanted = credentials.headers && readImpersonation(credentials.headers)
    return wanted ? impersonate(this.#options.authorizer, caller, wanted) : caller
  }

  /** Who a bearer token stands for; `audiences` default to this server's. For requests and for TokenReview. */
  identifyToken(token: string, audiences?: readonly string[]): VerifiedToken | undefined {
    const known = this.#staticUsers.get(digest(token))
    // A static token is meant for this server, whatever audience is asked for.
    if (known !== undefined) return { user: known, audiences: audiences ?? this.#options.tokens?.audiences ?? [] }
    const verified = this.#options.tokens?.verify(token, audiences)
    return verified && { ...verified, user: authenticated(verified.user) }
  }

  #identify({ authorization, clientCertificate, headers }: Credentials): User {
    const token = bearerToken(authorization)
    const hasCredentials = clientCertificate !== undefined || token !== undefined
    const byCertificate = clientCertificate === undefined ? undefined : this.#identifyCertificate(clientCertificate)
    const user = byCertificate ?? (token === undefined ? undefined : this.identifyToken(token)?.user)
    if (user !== undefined) return user
    if (this.#options.open) return whoeverCalls(headers)
    if (hasCredentials || this.#options.anonymous === false) throw unauthorized()
    return anonymousUser
  }

  #identifyCertificate(certificate: Buffer | string): User | undefined {
    const { clientAuthority, clock } = this.#options
    if (clientAuthority === undefined) return undefined
    const id = digest(certificate)
    const known = this.#certificates.get(id)
    if (known !== undefined && clock.now() <= known.notAfterMs) return known.user
    const fresh = readTrusted(clientAuthority, certificate, clock.now())
    if (fresh !== undefined) this.#certificates.set(id, fresh)
    return fresh?.user
  }
}

/**
 * Browsers send requests for any page that is open, to any port of the machine, and say so. A page has no token, and
 * must not become the admin of a server that somebody runs for themselves.
 */
function whoeverCalls(headers: RequestHeaders | undefined): User {
  const isOfPage = headers?.['origin'] !== undefined || (headers?.['sec-fetch-site'] ?? 'none') !== 'none'
  if (isOfPage) throw new StatusError(403, 'Forbidden', 'forbidden: web pages must show a token', {})
  return adminUser
}

function readTrusted(authority: Authority, certificate: Buffer | string, now: number): KnownCertificate | undefined {
  try {
    const { user, groups, notAfterMs } = readClientCertificate(certificate)
    if (user === '' || !isTrustedClient(authority, certificate, now)) return undefined
    return { user: authenticated({ name: user, groups }), notAfterMs }
  } catch {
    // Bytes that are no certificate prove nobody's identity.
    return undefined
  }
}
