import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '@godwit/ports'
import { SimulatedSubclouds } from './simulated-subclouds.ts'
import { startSubcloudServer, subcloudApi } from './subcloud-api.ts'

test('sites in other processes add subclouds, move them and ask for them over a socket', async t => {
  const subclouds = new SimulatedSubclouds(systemClock)
  const server = await startSubcloudServer(subcloudApi(subclouds, systemClock))
  t.after(() => server.stop())
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${server.url}${path}`, { method, headers, ...init })
    return { status: response.status, value: (await response.json()) as Record<string, unknown> }
  }
  await call('POST', '/subclouds', {
    region: 'r1',
    name: 's1',
    bootstrapAddress: '10.0.0.1',
    sysadminPassword: 'pw',
    release: '24.09',
    home: { site: 'a', credentials: 'secret-a' },
    knobs: { stepMs: 1, onlineAfterMs: null },
  })
  const run = {
    runId: 'run-1',
    region: 'r1',
    bootstrapAddress: '10.0.0.1',
    sysadminPassword: 'pw',
    site: 'b',
    credentials: 'secret-b',
    destinationRelease: '24.09',
  }
  assert.equal((await call('POST', '/runs', run)).value['kind'], 'running')
  assert.deepEqual((await call('GET', '/runs/run-1?wait_ms=20000')).value, { kind: 'succeeded' })
  const presence = async () => {
    const answer = await call('GET', '/subclouds/r1/online?site=b', undefined, { 'x-site-credentials': 'secret-b' })
    return answer.value['presence']
  }
  assert.equal(await presence(), 'offline')
  await call('PATCH', '/subclouds/r1', { onlineAfterMs: 0 })
  assert.equal(await presence(), 'online')
  const { value } = await call('GET', '/history')
  assert.deepEqual([(value['history'] as unknown[]).length, value['started'], value['violations']], [1, ['run-1'], []])
  assert.deepEqual((await call('GET', '/subclouds')).value, { subclouds: [{ region: 'r1', site: 'b' }] })
  const at = async (address: string) =>
    (await call('GET', `/subclouds?bootstrap_address=${address}`)).value['subclouds']
  assert.deepEqual([await at('10.0.0.1'), await at('10.0.0.9')], [[{ region: 'r1', site: 'b' }], []])
  assert.deepEqual((await call('POST', '/runs?wait_ms=20000', { ...run, runId: 'run-2' })).value, { kind: 'succeeded' })
  await call('DELETE', '/runs?run=run-1&run=run-2')
  for (const id of ['run-1', 'run-2']) assert.equal((await call('GET', `/runs/${id}`)).status, 404)
  assert.equal((await call('GET', '/nonsense')).status, 404)
})
