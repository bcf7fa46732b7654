/**
 * Seals a bundle for one receiver: ephemeral X25519 key agreement, HKDF-SHA256, AES-256-GCM. Whoever carries it sees
 * nothing, and nobody can change it unseen. The migration's uid is bound in, so that an old bundle opens nowhere else.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { Terminal } from '@godwit/core'

const VERSION = 1
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const INFO = 'godwit.dev/bundle/v1'

/** Keys as base64 DER: SPKI for the public, PKCS#8 for the private one. */
export interface SealingKeyPair {
  readonly publicKey: string
  readonly privateKey: string
}

export function makeSealingKeyPair(): SealingKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  }
}

function readKey(purpose: string, read: () => KeyObject): KeyObject {
  try {
    const key = read()
    if (key.asymmetricKeyType === 'x25519') return key
  } catch {
    // Said below, without the key material that the cause would carry.
  }
  throw new Terminal('SealBroken', `the ${purpose} key is not an X25519 key in base64 DER`)
}

const publicKeyOf = (text: string) =>
  readKey('public', () => createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' }))
const privateKeyOf = (text: string) =>
  readKey('private', () => createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' }))

const contentKey = (privateKey: KeyObject, publicKey: KeyObject, ephemeral: Buffer, context: string) =>
  Buffer.from(hkdfSync('sha256', diffieHellman({ privateKey, publicKey }), ephemeral, `${INFO}/${context}`, KEY_BYTES))

/** @param context binds the bundle, for instance to the migration's uid; opening demands the same. */
export function seal(plain: Buffer, receiver: string, context: string): Buffer {
  const ephemeral = generateKeyPairSync('x25519')
  const ephemeralDer = ephemeral.publicKey.export({ type: 'spki', format: 'der' })
  const key = contentKey(ephemeral.privateKey, publicKeyOf(receiver), ephemeralDer, context)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.from([VERSION, ephemeralDer.length]), ephemeralDer, nonce, cipher.getAuthTag(), body])
}

/** Throws `Terminal('SealBroken')` for anything that was not sealed for this key and context. */
export function open(sealed: Buffer, privateKey: string, context: string): Buffer {
  const own = privateKeyOf(privateKey)
  try {
    const ephemeralEnd = 2 + (sealed[1] ?? 0)
    if (sealed[0] !== VERSION) throw new Error('unknown version')
    const ephemeralDer = sealed.subarray(2, ephemeralEnd)
    const ephemeral = createPublicKey({ key: ephemeralDer, format: 'der', type: 'spki' })
    const nonce = sealed.subarray(ephemeralEnd, ephemeralEnd + NONCE_BYTES)
    const tagEnd = ephemeralEnd + NONCE_BYTES + TAG_BYTES
    const decipher = createDecipheriv('aes-256-gcm', contentKey(own, ephemeral, ephemeralDer, context), nonce, {
      // Else a tag that was cut to four bytes would be checked against four bytes.
      authTagLength: TAG_BYTES,
    })
    decipher.setAuthTag(sealed.subarray(ephemeralEnd + NONCE_BYTES, tagEnd))
    return Buffer.concat([decipher.update(sealed.subarray(tagEnd)), decipher.final()])
  } catch (cause) {
    throw new Terminal('SealBroken', 'the bundle was not sealed for this hub and migration, or was changed', { cause })
  }
}
