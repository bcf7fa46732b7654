import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { attempt } from '../../test/attempt.ts'
import type { HttpExchange } from '../http/exchange.ts'
import { SimulatedExecutor } from './simulated-executor.ts'

const site = { uuid: 'b', credentials: 'secret-b', softwareVersion: '24.09' }

function setUp(answer: (method: string, path: string) => Promise<unknown>) {
  const clock = new VirtualClock(0)
  const asked: string[] = []
  const exchange: HttpExchange = async ({ method, url }) => {
    const path = url.replace('http://simulator', '')
    asked.push(`${method} ${path}`)
    const body = Buffer.from(JSON.stringify(await answer(method, path)))
    return { status: 200, headers: {}, body }
  }
  return { clock, asked, executor: new SimulatedExecutor({ exchange, url: 'http://simulator', clock, site }) }
}

test('runs that end at the same time are discarded together, and no address grows too long', async () => {
  const { asked, executor } = setUp(() => Promise.resolve({}))
  const ids = Array.from({ length: 250 }, (_, index) => `run-${index}`)
  await Promise.all(ids.map(id => executor.discard(id)))
  const discarded = asked.map(line => new URL(line.replace('DELETE ', 'http://simulator')).searchParams.getAll('run'))
  assert.deepEqual(
    discarded.map(({ length }) => length),
    [100, 100, 50],
  )
  assert.deepEqual(discarded.flat(), ids)
  await executor.discard('run-9')
  assert.equal(asked.at(-1), 'DELETE /runs?run=run-9')
})

test('a cancel, which may have come before the order, is repeated until the order is answered', async () => {
  const order = Promise.withResolvers<unknown>()
  const { clock, asked, executor } = setUp((_, path) =>
    path.startsWith('/runs?') ? order.promise : Promise.resolve({}),
  )
  const cancel = new AbortController()
  const ended = executor.run(attempt, { cancel: cancel.signal, leave: new AbortController().signal })
  const cancels = () => asked.filter(line => line === 'POST /runs/run-1/cancel').length
  const settle = () => new Promise(resolve => setImmediate(resolve))
  await settle()
  assert.equal(cancels(), 0)
  cancel.abort()
  for (const count of [1, 2, 3]) {
    await settle()
    assert.equal(cancels(), count)
    clock.advance(500)
  }
  order.resolve({ kind: 'interrupted', reason: 'the run was cancelled' })
  assert.deepEqual(await ended, { kind: 'interrupted', reason: 'the run was cancelled' })
  const before = cancels()
  clock.advance(5_000)
  await settle()
  assert.equal(cancels(), before)
})
