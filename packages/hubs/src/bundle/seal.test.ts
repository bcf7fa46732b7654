import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Terminal } from '@godwit/core'
import fc from 'fast-check'
import { makeSealingKeyPair, open, seal } from './seal.ts'

const own = makeSealingKeyPair()
const other = makeSealingKeyPair()
const isBroken = (error: unknown) => error instanceof Terminal && error.code === 'SealBroken'

test('what was sealed for a key and a migration opens there and nowhere else', () => {
  const sealed = seal(Buffer.from('secret'), own.publicKey, 'uid-1')
  assert.equal(open(sealed, own.privateKey, 'uid-1').toString(), 'secret')
  assert.throws(() => open(sealed, other.privateKey, 'uid-1'), isBroken)
  assert.throws(() => open(sealed, own.privateKey, 'uid-2'), isBroken)
})

test('the same content is sealed differently each time and shows nothing of it', () => {
  const plain = Buffer.from('a canary in a coal mine')
  const [first, second] = [seal(plain, own.publicKey, 'u'), seal(plain, own.publicKey, 'u')]
  assert.notDeepEqual(first, second)
  assert.equal(first.includes('canary'), false)
})

test('a bundle that was changed in any byte, or cut anywhere, does not open', () => {
  const sealed = seal(Buffer.from('content of a bundle'), own.publicKey, 'u')
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ change
      assert.throws(() => open(changed, own.privateKey, 'u'), isBroken)
      assert.throws(() => open(sealed.subarray(0, index), own.privateKey, 'u'), isBroken)
    }),
  )
})

test('a key that is none is told so without showing it', () => {
  const shown = (use: () => unknown) => {
    try {
      use()
    } catch (error) {
      return `${error}`
    }
    return assert.fail('nothing was thrown')
  }
  for (const key of ['', 'c2VjcmV0', 'not base64!'])
    for (const use of [() => seal(Buffer.alloc(1), key, 'u'), () => open(Buffer.alloc(99), key, 'u')]) {
      assert.throws(use, isBroken)
      assert.equal(key !== '' && shown(use).includes(key), false)
    }
})
