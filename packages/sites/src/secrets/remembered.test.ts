import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyRing, newKeyText } from './key-ring.ts'
import { remembered } from './remembered.ts'

function setUp(maxTexts: number) {
  const inner = keyRing(newKeyText())
  const opened: string[] = []
  const seal = remembered(
    {
      seal: inner.seal,
      open: (column, sealed) => {
        opened.push(column)
        return inner.open(column, sealed)
      },
    },
    ['a', 'b', 'c'],
    maxTexts,
  )
  return { seal, opened }
}

test('a text is opened once, as long as it is used more often than others', () => {
  const { seal, opened } = setUp(2)
  const texts = [1, 2, 3].map(number => seal.seal('a', `of ${number}`))
  const opens = (number: number) => {
    const before = opened.length
    assert.equal(seal.open('a', texts[number - 1] ?? ''), `of ${number}`)
    return opened.length > before
  }
  assert.deepEqual([1, 2, 1, 2, 1, 3, 1, 2].map(opens), [true, true, false, false, false, true, false, true])
})

test('a text that was moved to another column is opened there as little as ever', () => {
  const { seal } = setUp(2)
  const sealed = seal.seal('a', 'secret')
  assert.equal(seal.open('a', sealed), 'secret')
  assert.throws(() => seal.open('b', sealed), /was changed/)
})

test('what is to be forgotten is opened each time', () => {
  const { seal, opened } = setUp(2)
  const sealed = seal.seal('password', 'secret')
  for (let turn = 0; turn < 2; turn++) assert.equal(seal.open('password', sealed), 'secret')
  assert.deepEqual(opened, ['password', 'password'])
})

test('nothing is remembered of a text that cannot be opened', () => {
  const { seal, opened } = setUp(2)
  for (let turn = 0; turn < 2; turn++)
    assert.throws(() => seal.open('a', 'sealed.1:none:AAAA'), /was sealed with the key/)
  assert.deepEqual(opened, ['a', 'a'])
})
