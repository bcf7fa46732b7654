/** Signed tokens (JWS compact form) with one algorithm per key. Knows claims only as JSON. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { JsonObject } from '../api/object.ts'

/** A token of ours is about 1 KiB; anything much longer is not looked at. */
const MAX_TOKEN_LENGTH = 16_384

export interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly algorithm: 'ES256' | 'RS256'
  /** Hash of the public key: names the key in tokens and key sets. */
  readonly id: string
}

/** PEM of a new EC P-256 private key. */
export function newSigningKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function algorithmOf(key: KeyObject): SigningKey['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256'
  throw new Error('a token signing key must be RSA or EC P-256')
}

/** Loads a PEM private key (RSA or EC P-256). */
export function loadSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem)
  const publicKey = createPublicKey(privateKey)
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  return Object.freeze({ privateKey, publicKey, algorithm: algorithmOf(privateKey), id })
}

const encodeJson = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url')
const encoding = 'ieee-p1363' as const

/** The token for these claims. */
export function signToken(key: SigningKey, claims: JsonObject): string {
  const signed = `${encodeJson({ alg: key.algorithm, kid: key.id })}.${encodeJson(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: encoding })
  return `${signed}.${signature.toString('base64url')}`
}

const BASE64URL = /^[A-Za-z0-9_-]+$/

function decodeJson(part: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** Strict: one spelling per signature, or a token could be varied without becoming invalid. */
function decodeSignature(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** Claims of a token that this key signed; undefined for everything else. Looks at no claim. */
export function readToken(key: SigningKey, token: string): JsonObject | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  const [head = '', body = '', tail = '', ...more] = token.split('.')
  if (more.length > 0 || ![head, body, tail].every(part => BASE64URL.test(part))) return undefined
  const header = decodeJson(head)
  // The key fixes the algorithm; what the token says may only agree.
  if (header?.['alg'] !== key.algorithm || header['kid'] !== key.id || header['crit'] !== undefined) return undefined
  const signature = decodeSignature(tail)
  if (signature === undefined) return undefined
  const verifier = { key: key.publicKey, dsaEncoding: encoding }
  return verify('sha256', Buffer.from(`${head}.${body}`), verifier, signature) ? decodeJson(body) : undefined
}

/** The key as an entry of a JSON Web Key Set. */
export function publicKeyJson(key: SigningKey): JsonObject {
  const jwk = key.publicKey.export({ format: 'jwk' })
  return {
    use: 'sig',
    kid: key.id,
    alg: key.algorithm,
    ...Object.fromEntries(Object.entries(jwk).map(([name, value]) => [name, String(value)])),
  }
}
