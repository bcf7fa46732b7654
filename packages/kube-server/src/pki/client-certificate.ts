import { X509Certificate } from 'node:crypto'
import type { Authority } from './authority.ts'
import { certificateSubject } from './certificate.ts'
import { decodeName } from './distinguished-name.ts'

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const ANY_PURPOSE = '2.5.29.37.0'

export interface ClientIdentity {
  readonly user: string
  readonly groups: readonly string[]
  /** Last moment of validity, epoch milliseconds. */
  readonly notAfterMs: number
}

/** User and groups of a certificate (DER or PEM), read from its subject. Says nothing about trust. Throws on unreadable bytes. */
export function readClientCertificate(certificate: Buffer | string): ClientIdentity {
  const { raw, validToDate } = new X509Certificate(certificate)
  const { commonName, organizations } = decodeName(certificateSubject(raw))
  return { user: commonName, groups: organizations, notAfterMs: validToDate.getTime() }
}

/**
 * Whether `authority` signed this certificate for client authentication and it is valid at `now` (epoch milliseconds).
 * TLS has checked the first two where it trusts the authority, but knows only the machine's clock.
 */
export function isTrustedClient(authority: Authority, certificate: Buffer | string, now: number): boolean {
  const parsed = new X509Certificate(certificate)
  const purposes = parsed.keyUsage
  const isForClients = purposes === undefined || purposes.includes(CLIENT_AUTH) || purposes.includes(ANY_PURPOSE)
  return (
    isForClients &&
    parsed.checkIssued(authority.certificate) &&
    parsed.verify(authority.certificate.publicKey) &&
    parsed.validFromDate.getTime() <= now &&
    now <= parsed.validToDate.getTime()
  )
}
