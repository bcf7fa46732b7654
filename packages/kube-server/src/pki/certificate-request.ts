/** PKCS #10 certificate requests: what an agent sends to be let in. */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { type Authority, issue } from './authority.ts'
import { signatureAlgorithm } from './certificate.ts'
import {
  bitString,
  contextTag,
  DerError,
  encode,
  expectTag,
  readMembers,
  readObjectId,
  readWhole,
  readWholeBits,
  sequence,
  Tag,
  unsignedInteger,
} from './der.ts'
import { decodeName, encodeName, type SubjectName } from './distinguished-name.ts'
import { fromPem, PemError, toPem } from './pem.ts'

const LABEL = 'CERTIFICATE REQUEST'
/** A request with an 8192-bit RSA key stays below 4 KiB. */
const MAX_REQUEST_BYTES = 65_536

/** Why a text is not an acceptable certificate request. */
export class CertificateRequestError extends Error {
  override readonly name = 'CertificateRequestError'
}

export interface CertificateRequest {
  readonly subject: SubjectName
  /** DER of the subject, to be copied unchanged. */
  readonly subjectDer: Buffer
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer
  readonly keyType: 'ec' | 'rsa' | 'ed25519'
}

/** Signature algorithm → digest; null where the algorithm has its own. SHA-1 and MD5 are left out on purpose. */
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.3.101.112', null],
])

function keyTypeOf(key: KeyObject): CertificateRequest['keyType'] {
  const type = key.asymmetricKeyType
  if (type === 'ec' || type === 'rsa' || type === 'ed25519') return type
  throw new CertificateRequestError(`unsupported key type ${type}`)
}

function parseDer(der: Buffer): CertificateRequest {
  const parts = readMembers(expectTag(readWhole(der), Tag.sequence, 'certificate request'))
  if (parts.length !== 3) throw new DerError('body, algorithm and signature expected')
  const [body, algorithm, signature] = parts
  const [, subject, publicKey] = readMembers(expectTag(body, Tag.sequence, 'certificate request body'))
  const name = expectTag(subject, Tag.sequence, 'subject')
  const publicKeyDer = expectTag(publicKey, Tag.sequence, 'public key').raw
  const [algorithmId] = readMembers(expectTag(algorithm, Tag.sequence, 'signature algorithm'))
  const digest = algorithmId && DIGESTS.get(readObjectId(algorithmId))
  if (digest === undefined) throw new CertificateRequestError('unsupported signature algorithm')
  const key = createPublicKey({ key: publicKeyDer, format: 'der', type: 'spki' })
  const keyType = keyTypeOf(key)
  const bits = readWholeBits(signature, 'signature')
  if (body === undefined || !verify(digest, body.raw, key, bits)) {
    throw new CertificateRequestError('the signature does not match the public key of the request')
  }
  return { subject: decodeName(name), subjectDer: name.raw, publicKeyDer, keyType }
}

/**
 * Parses a PEM certificate request (EC, RSA or Ed25519 key) and checks that it is signed by its own key.
 * Throws `CertificateRequestError`.
 */
export function parseCertificateRequest(pem: string): CertificateRequest {
  try {
    const der = fromPem(LABEL, pem)
    if (der.length > MAX_REQUEST_BYTES) throw new CertificateRequestError('certificate request is too large')
    return parseDer(der)
  } catch (cause) {
    if (cause instanceof CertificateRequestError) throw cause
    const isOurs = cause instanceof DerError || cause instanceof PemError
    throw new CertificateRequestError(isOurs ? cause.message : 'unusable public key', { cause })
  }
}

/** Makes a certificate request for a user with groups, signed by `key` (private, EC or RSA). */
export function createCertificateRequest(options: {
  readonly user: string
  readonly groups: readonly string[]
  readonly key: KeyObject
}): string {
  const body = sequence(
    unsignedInteger(Buffer.from([0])),
    encodeName({ commonName: options.user, organizations: options.groups }),
    createPublicKey(options.key).export({ type: 'spki', format: 'der' }),
    encode(contextTag(0, true)),
  )
  const signature = bitString(sign('sha256', body, options.key))
  return toPem(LABEL, sequence(body, signatureAlgorithm(options.key), signature))
}

/**
 * Signs a request for client authentication; subject and key are copied. Resolves with the certificate's PEM.
 * `usages` are the names of the Kubernetes API and must contain `client auth`; `now` is in epoch milliseconds.
 */
export async function signCertificateRequest(
  authority: Authority,
  options: {
    readonly requestPem: string
    readonly usages: readonly string[]
    readonly ttlSeconds: number
    readonly now: number
  },
): Promise<string> {
  if (!options.usages.includes('client auth')) throw new CertificateRequestError('only client certificates are signed')
  const request = parseCertificateRequest(options.requestPem)
  return issue(authority, {
    purpose: 'client',
    subject: request.subjectDer,
    publicKey: request.publicKeyDer,
    now: options.now,
    ttlMs: options.ttlSeconds * 1000,
  })
}
