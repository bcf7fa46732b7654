import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { Foresight } from './foresight.ts'

const absent = { kind: 'absent' } as const

function setUp() {
  const clock = new VirtualClock(0)
  return { clock, foresight: new Foresight(clock) }
}

test('what was seen is told once', () => {
  const { foresight } = setUp()
  foresight.note(1, absent, 0)
  assert.deepEqual(
    [foresight.knows(1), foresight.take(1), foresight.knows(1), foresight.take(1)],
    [true, absent, false, undefined],
  )
})

test('what is old, or of a time to come, is not told, and is forgotten', () => {
  const { clock, foresight } = setUp()
  foresight.note(1, absent, 0)
  clock.advance(4_999)
  foresight.note(2, absent, clock.now())
  assert.equal(foresight.knows(1), true)
  clock.advance(1)
  assert.equal(foresight.take(1), undefined)
  foresight.note(3, absent, 0)
  clock.advance(5_000)
  foresight.note(4, absent, clock.now())
  assert.deepEqual(
    [2, 3, 4].map(id => foresight.knows(id)),
    [false, false, true],
  )
  foresight.note(5, absent, clock.now() + 1)
  assert.equal(foresight.take(5), undefined)
})

test('an answer that nobody could read is no knowledge', () => {
  const { foresight } = setUp()
  foresight.note(1, { kind: 'unread' }, 0)
  assert.equal(foresight.take(1), undefined)
})
