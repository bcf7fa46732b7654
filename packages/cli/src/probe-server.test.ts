import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { startProbes } from './probe-server.ts'

test('a process says that it lives, whether it is ready, and its metrics', async () => {
  const clock = new VirtualClock()
  let problem: string | undefined = 'hub1 does not answer'
  let asked = 0
  const notReady = async () => {
    asked++
    if (problem === 'thrown') throw new Error('thrown')
    return problem
  }
  const probes = await startProbes({ port: 0, clock, notReady, metrics: () => 'm 1\n' })
  try {
    const get = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`http://127.0.0.1:${probes.port}${path}`, init)
      return [response.status, await response.text()]
    }
    assert.deepEqual(await get('/healthz'), [200, 'ok\n'])
    assert.deepEqual(await get('/metrics?x=1'), [200, 'm 1\n'])
    assert.deepEqual(await get('/readyz'), [503, 'hub1 does not answer\n'])
    problem = undefined
    assert.deepEqual([await get('/readyz'), asked], [[503, 'hub1 does not answer\n'], 1])
    clock.advance(10_000)
    assert.deepEqual(await get('/readyz'), [200, 'ok\n'])
    problem = 'thrown'
    clock.advance(10_000)
    assert.deepEqual(await get('/readyz'), [503, 'thrown\n'])
    assert.equal((await get('/secrets'))[0], 404)
    assert.equal((await get('/healthz', { method: 'POST' }))[0], 405)
  } finally {
    await probes.stop()
  }
})
