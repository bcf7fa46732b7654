/** PKCS #10 requests and the certificates they lead to. */
import { createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto'

export interface Subject {
  readonly user: string
  readonly groups: readonly string[]
}

const SEQUENCE = 0x30
const SET = 0x31
const UTF8 = 0x0c
const BIT_STRING = 0x03
const ATTRIBUTES = 0xa0
const VERSION = Buffer.from([0x02, 0x01, 0x00])
const COMMON_NAME = Buffer.from('0603550403', 'hex')
const ORGANIZATION = Buffer.from('060355040a', 'hex')
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  // No request comes near 64 KiB.
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content])
}

const attribute = (type: Buffer, value: string) => tagged(SET, tagged(SEQUENCE, type, tagged(UTF8, Buffer.from(value))))

/** PEM of a certificate request for a user with groups. `key` is a private key on P-256. */
export function certificateRequest({ user, groups }: Subject, key: KeyObject): string {
  const name = tagged(SEQUENCE, ...groups.map(group => attribute(ORGANIZATION, group)), attribute(COMMON_NAME, user))
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const body = tagged(SEQUENCE, VERSION, name, publicKey, tagged(ATTRIBUTES))
  const signature = tagged(BIT_STRING, Buffer.from([0]), sign('sha256', body, key))
  const lines =
    tagged(SEQUENCE, body, ECDSA_WITH_SHA256, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

export interface IssuedIdentity extends Subject {
  /** Epoch milliseconds. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** Whom a certificate names. */
export function readCertificate(pem: string): IssuedIdentity {
  const { subject, validFrom, validTo } = new X509Certificate(pem)
  const parts = subject.split('\n')
  const valuesOf = (type: string) =>
    parts.filter(part => part.startsWith(`${type}=`)).map(part => part.slice(type.length + 1))
  return {
    user: valuesOf('CN')[0] ?? '',
    groups: valuesOf('O'),
    issuedAtMs: Date.parse(validFrom),
    expiresAtMs: Date.parse(validTo),
  }
}
