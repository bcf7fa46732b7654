/** A certificate authority of one server: makes its own key, issues server and client certificates. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { buildCertificate, certificateSubject } from './certificate.ts'
import { encodeName } from './distinguished-name.ts'
import { toPem } from './pem.ts'

const DAY_MS = 86_400_000
const AUTHORITY_LIFETIME_MS = 10 * 365 * DAY_MS
const SERVER_LIFETIME_MS = 365 * DAY_MS
/** Certificates begin a little earlier, so that a client whose clock lags accepts them. */
const BACKDATE_MS = 300_000

/** PEM texts and the parsed forms. Keep the two PEMs to load the same authority again. */
export interface Authority {
  readonly certPem: string
  readonly keyPem: string
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

/** A certificate with its private key, PEM. */
export interface IssuedCertificate {
  readonly certPem: string
  readonly keyPem: string
}

const publicKeyInfo = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'der' })
const exportKey = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const generateKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** Makes a new self-signed authority (EC P-256, ten years). `now` is in epoch milliseconds. */
export async function createAuthority(options: {
  readonly commonName: string
  readonly now: number
}): Promise<Authority> {
  const key = generateKey()
  const subject = encodeName({ commonName: options.commonName, organizations: [] })
  const publicKey = publicKeyInfo(key)
  const der = buildCertificate({
    purpose: 'authority',
    subject,
    issuer: subject,
    publicKey,
    notBeforeMs: options.now - BACKDATE_MS,
    notAfterMs: options.now + AUTHORITY_LIFETIME_MS,
    issuerPublicKey: publicKey,
    issuerKey: key,
  })
  return loadAuthority({ certPem: toPem('CERTIFICATE', der), keyPem: exportKey(key) })
}

/** Loads an authority from PEM (EC or RSA key). Throws when the key is not the certificate's or it is no authority. */
export function loadAuthority(pem: IssuedCertificate): Authority {
  const certificate = new X509Certificate(pem.certPem)
  const key = createPrivateKey(pem.keyPem)
  if (!certificate.checkPrivateKey(key)) throw new Error('the private key does not belong to the authority certificate')
  if (!certificate.ca) throw new Error('the certificate is not a certificate authority')
  return Object.freeze({ certPem: pem.certPem, keyPem: pem.keyPem, certificate, key })
}

export interface EndEntityPlan {
  readonly purpose: 'server' | 'client'
  /** DER of subject and SubjectPublicKeyInfo. */
  readonly subject: Buffer
  readonly publicKey: Buffer
  readonly hosts?: readonly string[]
  readonly now: number
  readonly ttlMs: number
}

/** PEM of a certificate signed by `authority`; never outlives it. */
export function issue(authority: Authority, plan: EndEntityPlan): string {
  const der = buildCertificate({
    purpose: plan.purpose,
    subject: plan.subject,
    issuer: certificateSubject(authority.certificate.raw).raw,
    publicKey: plan.publicKey,
    notBeforeMs: plan.now - BACKDATE_MS,
    notAfterMs: Math.min(plan.now + plan.ttlMs, authority.certificate.validToDate.getTime()),
    ...(plan.hosts && { hosts: plan.hosts }),
    issuerPublicKey: publicKeyInfo(authority.key),
    issuerKey: authority.key,
  })
  return toPem('CERTIFICATE', der)
}

/** Issues a TLS server certificate (one year) for DNS names and IP addresses. `now` in epoch milliseconds. */
export async function issueServerCertificate(
  authority: Authority,
  options: { readonly hosts: readonly string[]; readonly now: number },
): Promise<IssuedCertificate> {
  const key = generateKey()
  const certPem = issue(authority, {
    purpose: 'server',
    subject: encodeName({ commonName: options.hosts[0] ?? 'kubernetes', organizations: [] }),
    publicKey: publicKeyInfo(key),
    hosts: options.hosts,
    now: options.now,
    ttlMs: SERVER_LIFETIME_MS,
  })
  return { certPem, keyPem: exportKey(key) }
}

/** Issues a client certificate: common name = user, organizations = groups. */
export async function issueClientCertificate(
  authority: Authority,
  options: {
    readonly user: string
    readonly groups: readonly string[]
    readonly ttlSeconds: number
    readonly now: number
  },
): Promise<IssuedCertificate> {
  const key = generateKey()
  const certPem = issue(authority, {
    purpose: 'client',
    subject: encodeName({ commonName: options.user, organizations: options.groups }),
    publicKey: publicKeyInfo(key),
    now: options.now,
    ttlMs: options.ttlSeconds * 1000,
  })
  return { certPem, keyPem: exportKey(key) }
}
