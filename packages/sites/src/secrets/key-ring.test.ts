import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyRing, newKeyText } from './key-ring.ts'

const CLEAR = 'St8rlingX*ä'

test('what was sealed opens again, looks different each time, and shows nothing', () => {
  const ring = keyRing(newKeyText())
  const [one, two] = [ring.seal('manager_password', CLEAR), ring.seal('manager_password', CLEAR)]
  assert.notEqual(one, two)
  for (const sealed of [one, two]) {
    assert.equal(ring.open('manager_password', sealed), CLEAR)
    assert.ok(!sealed.includes(Buffer.from(CLEAR).toString('base64').slice(0, 8)))
  }
})

test('another key is told from the right one, by names that say nothing about them', () => {
  const [text, other] = [newKeyText(), newKeyText()]
  const sealed = keyRing(text).seal('rehome_data', CLEAR)
  assert.throws(() => keyRing(other).open('rehome_data', sealed), {
    code: 'SecretsKey',
    message: /^rehome_data was sealed with the key [0-9a-f]{8}, and the key file holds [0-9a-f]{8}: give the one/,
  })
})

test('a new key in front of an old one seals, and the old one still opens what it sealed', () => {
  const old = newKeyText()
  const sealed = keyRing(old).seal('data_install', CLEAR)
  const both = keyRing(`# since today\n${newKeyText()}\n${old}`)
  assert.equal(both.open('data_install', sealed), CLEAR)
  assert.throws(() => keyRing(old).open('data_install', both.seal('data_install', CLEAR)), { code: 'SecretsKey' })
})

test('a sealed text that was changed, or moved to another column, does not open', () => {
  const ring = keyRing(newKeyText())
  const sealed = ring.seal('rehome_data', CLEAR)
  const [format, id, body = ''] = sealed.split(':')
  const bytes = Buffer.from(body, 'base64')
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    const text = [format, id, changed.toString('base64')].join(':')
    assert.throws(() => ring.open('rehome_data', text), { code: 'SecretsKey' })
  }
  assert.throws(() => ring.open('manager_password', sealed), { code: 'SecretsKey' })
  assert.throws(() => ring.open('rehome_data', 'plain'), { code: 'SecretsKey', message: /is not sealed/ })
  assert.throws(() => ring.open('rehome_data', `${format}:${id}:`), { code: 'SecretsKey' })
})

test('a key file that is wrong is refused by its line, not by what is in it', () => {
  for (const wrong of ['short', `${newKeyText()}notbase64!`, Buffer.alloc(16).toString('base64')])
    assert.throws(
      () => keyRing(wrong),
      (error: Error) =>
        /^line \d of the key file is not 32 bytes/.test(error.message) && !error.message.includes('short'),
    )
  assert.throws(() => keyRing('# nothing\n'), /holds no key/)
})
