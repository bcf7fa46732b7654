import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, nodesOperator } from './nodes-process.ts'

const options = {
  electionNamespace: 'cocoon-system',
  metricsBindAddress: '0',
  healthProbeBindAddress: '0',
  leaderElect: 'true',
  cocoonsetConcurrency: 4,
  hibernationConcurrency: 4,
  logLevel: 'error',
}

test('an address is a port, with or without the host to listen on, or nothing', () => {
  assert.deepEqual(addressOf(':8080'), { port: 8080 })
  assert.deepEqual(addressOf('127.0.0.1:81'), { host: '127.0.0.1', port: 81 })
  assert.deepEqual(addressOf('[::1]:81'), { host: '::1', port: 81 })
  assert.deepEqual([addressOf('0'), addressOf('')], [undefined, undefined])
  for (const wrong of ['8080', '8080x', ':0', ':99999', '::1:81', 'host:'])
    assert.throws(() => addressOf(wrong), /is not an address/)
})

test('CF01 no registry, or no worker, refuses the start', async () => {
  await assert.rejects(nodesOperator(options), /OCI_REGISTRY/)
  const none = { ...options, registry: 'registry.test/vms', cocoonsetConcurrency: 0 }
  await assert.rejects(nodesOperator(none), /cocoonset-concurrency must be/)
})
