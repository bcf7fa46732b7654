import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock, VirtualClock } from '@godwit/ports'
import { MachineClock } from '../test/candidate.ts'
import { LeaderTerm } from './leader-term.ts'

function setUp() {
  const time = new VirtualClock()
  const clock = new MachineClock(time)
  return { time, clock, term: new LeaderTerm(clock, 7, clock.now() + 10_000) }
}

test('a term lasts until its deadline, and longer when it is extended in time', () => {
  const { time, clock, term } = setUp()
  time.advance(9_000)
  term.extend(clock.now() + 10_000)
  time.advance(9_999)
  assert.deepEqual([term.signal.aborted, term.lost.aborted], [false, false])
  time.advance(1)
  assert.deepEqual([term.signal.aborted, term.lost.aborted], [true, true])
  term.extend(clock.now() + 10_000)
  assert.equal(term.signal.aborted, true, 'what is over stays over')
})

test('whoever asks after a standstill learns that it is over, by each way of asking', () => {
  for (const ask of [
    ({ signal }: LeaderTerm) => signal.aborted,
    ({ lost }: LeaderTerm) => lost.aborted,
    ({ signal }: LeaderTerm) => {
      assert.throws(() => signal.throwIfAborted(), /leadership ended: not renewed in time/)
      return true
    },
  ]) {
    const { time, clock, term } = setUp()
    clock.stall()
    time.advance(10_000)
    assert.equal(ask(term), true)
  }
})

test('a wall clock that is set back does not lengthen a term', () => {
  const { time, clock, term } = setUp()
  clock.offsetMs = -3_600_000
  let isTold = false
  term.signal.addEventListener('abort', () => {
    isTold = true
  })
  time.advance(10_000)
  assert.equal(isTold, true)
})

test('a term that ends is not lost yet: the lease is still ours to hand over', () => {
  const { clock, term } = setUp()
  term.end('stopped')
  assert.deepEqual([term.signal.aborted, term.lost.aborted, term.reason], [true, false, 'stopped'])
  term.lose('over')
  assert.deepEqual([term.lost.aborted, term.reason, clock.timers], [true, 'stopped', 0])
})

test('a signal is aborted for whoever comes first after a real standstill', async () => {
  const term = new LeaderTerm(systemClock, 1, systemClock.now() + 50)
  let isAborted: boolean | undefined
  const woken = new Promise<void>(resolve => {
    systemClock.after(1, () => {
      isAborted = term.signal.aborted
      resolve()
    })
  })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  await woken
  assert.equal(isAborted, true)
})
