import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, VirtualClock } from '@godwit/ports'
import fc from 'fast-check'
import { KeyedQueue } from './keyed-queue.ts'

const build = () => {
  const clock = new VirtualClock()
  return { clock, queue: new KeyedQueue({ clock, random: seededRandom(1), baseDelayMs: 100, maxDelayMs: 1000 }) }
}

test('a key added many times is handed out once', async () => {
  const { queue } = build()
  for (let i = 0; i < 5; i++) queue.add('a')
  assert.equal(await queue.take(), 'a')
  assert.equal(queue.size, 0)
})

test('a key added while it is worked on runs again, never twice at the same time', async () => {
  const { queue } = build()
  queue.add('a')
  await queue.take()
  queue.add('a')
  assert.equal(queue.size, 0)
  queue.done('a')
  assert.equal(await queue.take(), 'a')
})

test('retry waits longer each time up to a limit, and done forgets the failures', async () => {
  const { queue, clock } = build()
  const delays: number[] = []
  for (let i = 0; i < 6; i++) {
    queue.add('a')
    await queue.take()
    delays.push(queue.retry('a'))
    clock.advance(2000)
    await queue.take()
    queue.retry('a')
    clock.advance(2000)
    await queue.take()
    if (i === 4) queue.done('a')
    else queue.retry('a')
  }
  assert.ok(delays.slice(0, 4).every((delay, i) => i === 0 || delay >= (delays[i - 1] ?? 0) || delay >= 1000))
  assert.ok(Math.max(...delays) <= 1200)
  assert.ok((delays[5] ?? 0) < 200)
})

test('retry honours the wait that the other side asked for', async () => {
  const { queue } = build()
  queue.add('a')
  await queue.take()
  assert.equal(queue.retry('a', 5000), 5000)
})

test('of several delays the earliest wins, and an immediate add cancels the delay', async () => {
  const { queue, clock } = build()
  queue.addAfter('a', 1000)
  queue.addAfter('a', 200)
  queue.addAfter('a', 5000)
  clock.advance(199)
  assert.equal(queue.size, 0)
  clock.advance(1)
  assert.equal(queue.size, 1)
  queue.addAfter('b', 100)
  queue.add('b')
  assert.equal(clock.untilNext(), undefined)
})

test('closing wakes every taker and accepts nothing more', async () => {
  const { queue } = build()
  const takers = [queue.take(), queue.take()]
  queue.close()
  assert.deepEqual(await Promise.all(takers), [undefined, undefined])
  queue.add('a')
  assert.equal(queue.size, 0)
})

test('whatever happens, no key is active twice and every added key is served after its last add', async () => {
  const command = fc.record({
    verb: fc.constantFrom('add', 'take', 'done', 'retry', 'later'),
    key: fc.constantFrom('a', 'b', 'c'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60 }), async commands => {
      const { queue, clock } = build()
      const active: string[] = []
      const owed = new Set<string>()
      const take = async () => {
        const key = queue.size > 0 ? await queue.take() : undefined
        if (key === undefined) return
        assert.ok(!active.includes(key), 'handed out twice')
        active.push(key)
        owed.delete(key)
      }
      for (const { verb, key } of commands) {
        if (verb === 'take') await take()
        else if (verb === 'later') queue.addAfter(key, 10)
        else if (verb === 'add') {
          queue.add(key)
          owed.add(key)
        } else {
          const given = active.shift()
          if (given !== undefined) queue[verb](given)
        }
      }
      for (const key of active.splice(0)) queue.done(key)
      clock.advance(5000)
      while (queue.size > 0) {
        await take()
        for (const key of active.splice(0)) queue.done(key)
      }
      assert.deepEqual([...owed], [])
    }),
  )
})
