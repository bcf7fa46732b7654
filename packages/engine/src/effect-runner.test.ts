import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable, Terminal } from '@godwit/core'
import { seededRandom, VirtualClock } from '@godwit/ports'
import { EffectRunner } from './effect-runner.ts'

function build(perform: (key: string, effect: string) => Promise<string | undefined>, concurrency = 2) {
  const clock = new VirtualClock()
  const settled: string[] = []
  const runner = new EffectRunner<string, string>({
    clock,
    random: seededRandom(7),
    concurrency,
    perform,
    onSettled: key => settled.push(key),
    groupOf: key => key.charAt(0),
    baseDelayMs: 100,
  })
  return { clock, settled, runner }
}

test('effects of a key run in order and their receipts are kept until forgotten', async () => {
  const seen: string[] = []
  const { runner, settled } = build(async (_, effect) => {
    seen.push(effect)
    return effect === 'b' ? undefined : `did ${effect}`
  })
  runner.start('item', ['a', 'b', 'c'])
  await runner.idle()
  assert.deepEqual(seen, ['a', 'b', 'c'])
  assert.deepEqual(runner.outcome('item'), { kind: 'done', receipts: ['did a', 'did c'] })
  assert.deepEqual(settled, ['item'])
  const outcome = runner.outcome('item') ?? assert.fail()
  runner.settle('item', outcome)
  assert.equal(runner.outcome('item'), undefined)
})

test('settling an outcome does not lose another one that came in the meantime', async () => {
  let run = 0
  const { runner } = build(async () => `run ${++run}`)
  runner.start('item', ['a'])
  await runner.idle()
  const first = runner.outcome('item') ?? assert.fail()
  runner.start('item', ['b'])
  await runner.idle()
  runner.settle('item', first)
  assert.deepEqual(runner.outcome('item'), { kind: 'done', receipts: ['run 2'] })
})

test('a slow item does not hold up the others, and no more act at once than allowed', async () => {
  let release: (() => void) | undefined
  let acting = 0
  let most = 0
  const { runner, settled } = build(async key => {
    most = Math.max(most, ++acting)
    if (key === 'slow') await new Promise<void>(resolve => (release = resolve))
    else await Promise.resolve()
    acting--
    return undefined
  })
  runner.start('slow', ['x'])
  for (const key of ['a', 'b', 'c']) runner.start(key, ['x'])
  while (settled.length < 3) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(settled, ['a', 'b', 'c'])
  assert.equal(most, 2)
  release?.()
  await runner.idle()
})

test('a key that runs is not started again', async () => {
  const { runner } = build(async () => undefined)
  assert.equal(runner.start('a', ['x']), true)
  assert.equal(runner.start('a', ['x']), false)
  await runner.idle()
})

test('an error is retried after a growing delay, not before, and the caller is told when it is due', async () => {
  const { runner, clock, settled } = build(async () => {
    throw new Error('refused')
  })
  runner.start('a', ['x'])
  await runner.idle()
  const first = runner.outcome('a')
  assert.equal(first?.kind === 'retry' && first.attempts, 1)
  assert.equal(runner.start('a', ['x']), false)
  clock.advance(120)
  assert.deepEqual(settled, ['a', 'a'])
  assert.equal(runner.start('a', ['x']), true)
  await runner.idle()
  const second = runner.outcome('a')
  assert.equal(second?.kind === 'retry' && second.attempts, 2)
})

test('a wait that the other side asked for is honoured', async () => {
  const { runner, clock } = build(async () => {
    throw new Retryable('slow down', { afterMs: 9000 })
  })
  runner.start('a', ['x'])
  await runner.idle()
  const outcome = runner.outcome('a')
  assert.equal(outcome?.kind === 'retry' && outcome.retryAtMs - clock.now(), 9000)
})

test('a terminal error is reported with its code and stops the remaining effects', async () => {
  const seen: string[] = []
  const { runner } = build(async (_, effect) => {
    seen.push(effect)
    throw new Terminal('TargetExists', 'there is one already')
  })
  runner.start('a', ['x', 'y'])
  await runner.idle()
  assert.deepEqual(seen, ['x'])
  assert.deepEqual(runner.outcome('a'), { kind: 'failed', code: 'TargetExists', message: 'there is one already' })
})

test('places are given in order of arrival, and a stopped runner begins nothing that waits for one', async () => {
  const begun: string[] = []
  const gates = new Map<string, () => void>()
  const { runner } = build(async key => {
    begun.push(key)
    await new Promise<void>(resolve => gates.set(key, resolve))
    return undefined
  })
  for (const key of ['a', 'b', 'c', 'd', 'e']) runner.start(key, ['x'])
  assert.deepEqual([begun.join(''), runner.size], ['ab', 5])
  gates.get('b')?.()
  while (begun.length < 3) await new Promise(resolve => setImmediate(resolve))
  assert.equal(begun.join(''), 'abc')
  let isStopped = false
  const stopped = runner.stop().then(() => {
    isStopped = true
  })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([isStopped, runner.isRunning('c'), runner.isRunning('d')], [false, true, false])
  assert.equal(runner.start('f', ['x']), false)
  for (const key of ['a', 'c']) gates.get(key)?.()
  await stopped
  assert.equal(begun.join(''), 'abc')
})

test('what acts or waits is counted by group', async () => {
  const { runner } = build(async () => undefined, 1)
  for (const key of ['a1', 'a2', 'b1']) runner.start(key, ['x'])
  assert.deepEqual([runner.running('a'), runner.running('b'), runner.running('c')], [2, 1, 0])
  await runner.idle()
  assert.deepEqual([runner.running('a'), runner.running('b')], [0, 0])
})

test('effects of another kind do not wait for the retry of those before them', async () => {
  const seen: string[] = []
  const { runner } = build(async (_, effect) => {
    seen.push(effect)
    if (effect === 'forward') throw new Error('boom')
    return undefined
  })
  runner.start('item', ['forward'])
  await runner.idle()
  assert.equal(runner.start('item', ['back']), false)
  runner.forget('item')
  assert.equal(runner.start('item', ['back']), true)
  await runner.idle()
  assert.deepEqual(seen, ['forward', 'back'])
})

test('a clock that is set back by an hour does not put a retry off', async () => {
  const clock = new VirtualClock()
  let aheadMs = 3_600_000
  const runner = new EffectRunner<string, string>({
    clock: { now: () => clock.now() + aheadMs, after: (delayMs, run) => clock.after(delayMs, run) },
    random: seededRandom(7),
    concurrency: 1,
    perform: async () => {
      throw new Retryable('not yet')
    },
    onSettled: () => undefined,
    baseDelayMs: 100,
  })
  runner.start('item', ['a'])
  await runner.idle()
  aheadMs = 0
  assert.equal(runner.start('item', ['a']), false)
  clock.advance(150)
  assert.equal(runner.start('item', ['a']), true)
  await runner.idle()
})

test('what was done is not done again at once by whoever does not see it yet, and others do not wait for it', async () => {
  const seen: number[] = []
  const { runner, clock, settled } = build(async () => {
    seen.push(clock.now())
    return undefined
  })
  const beganMs = clock.now()
  const endMs = beganMs + 20_000
  // A cache that lags by 20 s: each look wants the same again.
  const look = async () => {
    runner.start('item', ['delete'])
    await runner.idle()
  }
  await look()
  for (let looks = 0; clock.now() < endMs; ) {
    while (looks < settled.length) {
      looks += 1
      await look()
    }
    clock.advance(Math.min(clock.untilNext() ?? 1_000, endMs - clock.now()))
  }
  const gaps = seen.map((atMs, index) => atMs - (seen[index - 1] ?? beganMs))
  assert.deepEqual(gaps.slice(0, 7), [0, 100, 200, 400, 800, 1_600, 2_000])
  assert.ok(seen.length < 16, `${seen.length} repetitions`)
  assert.equal(runner.start('item', ['delete']), false)
  assert.equal(runner.start('item', ['create']), true)
  await runner.idle()
})

test('nobody is told of the end of a rest that held nothing up', async () => {
  const { runner, clock, settled } = build(async () => undefined)
  runner.start('item', ['a'])
  await runner.idle()
  clock.advance(60_000)
  assert.deepEqual(settled, ['item'])
  assert.equal(runner.start('item', ['a']), true)
  await runner.idle()
})
