/** Builds and signs X.509 version 3 certificates. All cryptography is node:crypto; this file only lays out the bytes. */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import {
  bitString,
  boolean,
  contextTag,
  type DerValue,
  encode,
  expectTag,
  objectId,
  octetString,
  readMembers,
  readWhole,
  readWholeBits,
  sequence,
  Tag,
  time,
  unsignedInteger,
} from './der.ts'

const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const RSA_SHA256 = '1.2.840.113549.1.1.11'
const OID = Object.freeze({
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
})

export type Purpose = 'authority' | 'server' | 'client'

export interface CertificatePlan {
  readonly purpose: Purpose
  /** DER of the subject and of the issuer's subject. */
  readonly subject: Buffer
  readonly issuer: Buffer
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** DNS names and IP addresses, for servers. */
  readonly hosts?: readonly string[]
  readonly issuerPublicKey: Buffer
  readonly issuerKey: KeyObject
}

/** SHA-1 over the key bits: an identifier by RFC 5280, not a protection. */
function keyIdentifier(publicKeyInfo: Buffer): Buffer {
  const [, bits] = readMembers(readWhole(publicKeyInfo))
  return createHash('sha1').update(readWholeBits(bits, 'public key')).digest()
}

const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(objectId(id), ...(critical ? [boolean(true)] : []), octetString(value))

function ipv6Bytes(address: string): Buffer {
  // The URL parser normalises every spelling, embedded IPv4 too, to hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)))
  const front = groups(head)
  const back = groups(tail ?? '')
  const zeros = new Array<number>(8 - front.length - back.length).fill(0)
  return Buffer.from([...front, ...zeros, ...back].flatMap(group => [group >> 8, group & 0xff]))
}

function alternativeName(host: string): Buffer {
  const family = isIP(host)
  if (family === 4) return encode(contextTag(7, false), Buffer.from(host.split('.').map(Number)))
  if (family === 6) return encode(contextTag(7, false), ipv6Bytes(host))
  return encode(contextTag(2, false), Buffer.from(host, 'latin1'))
}

// Bits are counted from the left: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign.
const KEY_USAGE: Readonly<Record<Purpose, Buffer>> = Object.freeze({
  authority: bitString(Buffer.from([0b1010_0110]), 1),
  server: bitString(Buffer.from([0b1010_0000]), 5),
  client: bitString(Buffer.from([0b1010_0000]), 5),
})

function extensions(plan: CertificatePlan): Buffer {
  const list = [extension(OID.keyUsage, true, KEY_USAGE[plan.purpose])]
  if (plan.purpose === 'authority') {
    list.push(extension(OID.basicConstraints, true, sequence(boolean(true))))
    list.push(extension(OID.subjectKeyId, false, octetString(keyIdentifier(plan.publicKey))))
  } else {
    const usage = plan.purpose === 'server' ? OID.serverAuth : OID.clientAuth
    list.push(extension(OID.extendedKeyUsage, false, sequence(objectId(usage))))
    list.push(extension(OID.basicConstraints, true, sequence()))
    const issuerId = encode(contextTag(0, false), keyIdentifier(plan.issuerPublicKey))
    list.push(extension(OID.authorityKeyId, false, sequence(issuerId)))
  }
  if (plan.hosts?.length) list.push(extension(OID.subjectAltName, false, sequence(...plan.hosts.map(alternativeName))))
  return encode(contextTag(3, true), sequence(...list))
}

/** Algorithm identifier for signatures by this key. */
export function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(objectId(RSA_SHA256), encode(0x05))
    : sequence(objectId(ECDSA_SHA256))
}

function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  // Positive and never zero, as RFC 5280 demands.
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return unsignedInteger(bytes)
}

/** DER of a signed certificate. */
export function buildCertificate(plan: CertificatePlan): Buffer {
  const algorithm = signatureAlgorithm(plan.issuerKey)
  const body = sequence(
    encode(contextTag(0, true), unsignedInteger(Buffer.from([2]))),
    serialNumber(),
    algorithm,
    plan.issuer,
    sequence(time(plan.notBeforeMs), time(plan.notAfterMs)),
    plan.subject,
    plan.publicKey,
    extensions(plan),
  )
  return sequence(body, algorithm, bitString(sign('sha256', body, plan.issuerKey)))
}

/** The subject inside a certificate's DER. */
export function certificateSubject(der: Buffer): DerValue {
  const [body] = readMembers(expectTag(readWhole(der), Tag.sequence, 'certificate'))
  const members = readMembers(expectTag(body, Tag.sequence, 'certificate body'))
  // The version is tagged and optional; serial, algorithm, issuer and validity come before the subject.
  const offset = members[0]?.tag === contextTag(0, true) ? 5 : 4
  return expectTag(members[offset], Tag.sequence, 'subject')
}
