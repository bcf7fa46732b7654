import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Thing } from '../test/fake-collection.ts'
import { setUp } from '../test/informer-world.ts'
import { elapse, settle } from '../test/virtual-time.ts'
import type { Informer } from './informer.ts'
import { until } from './until.ts'

const count = (wanted: number) => (informer: Informer<Thing>) => informer.list().length === wanted

test('a wait ends when the fact holds, at once when it holds already', async () => {
  const { server, informer } = setUp()
  informer.start()
  await settle()
  await until(informer, count(0), { timeoutMs: 1000 })
  const waiting = until(informer, count(2), AbortSignal.abort(new Error('too late')))
  await assert.rejects(waiting, /too late/)
  const two = until(informer, count(2), { timeoutMs: 1000 })
  server.put('a', 1)
  server.put('b', 1)
  await two
  await informer.stop()
})

test('an empty cache proves nothing before the sync', async () => {
  const { server, informer } = setUp()
  server.put('a', 1)
  let isTrue = false
  const empty = until(informer, count(0), { timeoutMs: 10 ** 9 }).then(() => {
    isTrue = true
  })
  informer.start()
  await settle()
  assert.equal(isTrue, false)
  server.remove('a')
  await empty
  await informer.stop()
})

test('a wait ends with its time, its signal, or what the predicate throws', async () => {
  const { clock, informer } = setUp()
  informer.start()
  await settle()
  const late = assert.rejects(until(informer, count(1), { timeoutMs: 1000 }), { name: 'TimeoutError' })
  await elapse(clock, 1000)
  await late
  const stop = new AbortController()
  const stopped = assert.rejects(until(informer, count(1), stop.signal), /enough/)
  stop.abort(new Error('enough'))
  await stopped
  const broken = () => {
    throw new Error('broken predicate')
  }
  await assert.rejects(until(informer, broken, { timeoutMs: 1000 }), /broken predicate/)
  await informer.stop()
  assert.equal(clock.untilNext(), undefined, 'no timer is left behind')
})
