import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn, VirtualClock } from '@godwit/ports'
import { type DrivenWorld, letTimePass } from './let-time-pass.ts'

function worldOf(clock: VirtualClock) {
  let traffic = 0
  const world: DrivenWorld = {
    clock,
    traffic: () => traffic,
    isIdle: () => true,
    serversIdle: async () => undefined,
  }
  return {
    world,
    act: () => {
      traffic += 1
    },
  }
}

test('each consequence happens before time goes on', async () => {
  const clock = new VirtualClock(0)
  const { world, act } = worldOf(clock)
  const seen: string[] = []
  clock.after(10, async () => {
    for (let turn = 0; turn < 20; turn++) {
      act()
      await nextTurn()
    }
    seen.push(`consequence at ${clock.now()}`)
  })
  clock.after(11, () => seen.push(`next at ${clock.now()}`))
  await letTimePass(world, 100)
  assert.deepEqual(seen, ['consequence at 10', 'next at 11'])
  assert.equal(clock.now(), 100)
})

test('the wait ends early when asked to, and what comes later stays due', async () => {
  const clock = new VirtualClock(0)
  const { world } = worldOf(clock)
  let fired = 0
  for (const atMs of [10, 20, 30]) clock.after(atMs, () => fired++)
  await letTimePass(world, 100, () => fired === 2)
  assert.deepEqual([fired, clock.now()], [2, 20])
  await letTimePass(world, 5)
  assert.deepEqual([fired, clock.now()], [2, 25])
})
