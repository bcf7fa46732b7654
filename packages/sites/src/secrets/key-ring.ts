/**
 * Seals what must not be read from the database's files: AES-256-GCM with the first key of a ring; each of its keys
 * opens what it sealed, so that a new key can be put in front of an old one.
 */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { Terminal } from '@godwit/core'
import type { Seal } from '@godwit/store'

export const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const FORMAT = 'sealed.1'

interface Key {
  /** Tells keys apart, and nothing about them. */
  readonly id: string
  /** Prepared once: to make one of bytes takes longer than to open a text. */
  readonly secret: KeyObject
}

/** The text of a new key file. */
export const newKeyText = () => `${randomBytes(KEY_BYTES).toString('base64')}\n`

/**
 * @param text one key a line: 32 bytes in base64; lines that begin with # say what they are about
 * @throws Terminal `SecretsKey` that says which line is wrong, never what is in it
 */
export function keyRing(text: string): Seal {
  const keys = text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, number }) => keyOf(line, number))
  const [first] = keys
  if (!first) throw new Terminal('SecretsKey', 'the key file holds no key')
  return {
    seal: (column, clear) => sealed(first, column, clear),
    open: (column, text) => opened(keys, column, text),
  }
}

function keyOf(line: string, number: number): Key {
  const bytes = Buffer.from(line, 'base64')
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== line)
    throw new Terminal('SecretsKey', `line ${number} of the key file is not ${KEY_BYTES} bytes in base64`)
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), secret: createSecretKey(bytes) }
}

function sealed({ id, secret }: Key, column: string, clear: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(column))
  const body = Buffer.concat([nonce, cipher.update(clear, 'utf8'), cipher.final()])
  return `${FORMAT}:${id}:${Buffer.concat([body, cipher.getAuthTag()]).toString('base64')}`
}

function opened(keys: readonly Key[], column: string, text: string): string {
  const [format, id, body = ''] = text.split(':')
  if (format !== FORMAT) throw new Terminal('SecretsKey', `${column} is not sealed: it was written without a key file`)
  const key = keys.find(candidate => candidate.id === id)
  if (!key)
    throw new Terminal(
      'SecretsKey',
      `${column} was sealed with the key ${id}, and the key file holds ${keys.map(each => each.id).join(', ')}: give the one that this database was begun with`,
    )
  const bytes = Buffer.from(body, 'base64')
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv(CIPHER, key.secret, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(column)).setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()
  } catch (error) {
    throw new Terminal('SecretsKey', `${column} was changed after it was sealed`, { cause: error })
  }
}
