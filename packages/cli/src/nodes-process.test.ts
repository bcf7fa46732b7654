import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodesOperator, portOf } from './nodes-process.ts'

const options = {
  electionNamespace: 'cocoon-system',
  metricsBindAddress: '0',
  healthProbeBindAddress: '0',
  leaderElect: 'true',
  cocoonsetConcurrency: 4,
  hibernationConcurrency: 4,
  logLevel: 'error',
}

test('an address is a port behind a colon, or nothing', () => {
  assert.deepEqual([portOf(':8080'), portOf('127.0.0.1:81'), portOf('0'), portOf('')], [8080, 81, undefined, undefined])
  for (const wrong of ['8080x', ':0', ':99999']) assert.throws(() => portOf(wrong), /is not an address/)
})

test('CF01 no registry, or no worker, refuses the start', async () => {
  await assert.rejects(nodesOperator(options), /OCI_REGISTRY/)
  const none = { ...options, registry: 'registry.test/vms', cocoonsetConcurrency: 0 }
  await assert.rejects(nodesOperator(none), /cocoonset-concurrency must be/)
})
