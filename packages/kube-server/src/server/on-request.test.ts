import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeServer } from './kube-server.ts'
import type { RequestNote } from './options.ts'

test('every request for a resource is noted with its user and verb, refused ones included, others are not', async () => {
  const notes: RequestNote[] = []
  const server = await KubeServer.start({ listen: false, auth: {}, onRequest: note => notes.push(note) })
  try {
    const transport = server.transport({ name: 'dev', groups: [] })
    const statuses: number[] = []
    for (const path of ['/api/v1/namespaces/default/secrets', '/version']) {
      const response = await transport.request({ method: 'GET', path, headers: {} })
      statuses.push(response.status)
      await response.text()
    }
    assert.deepEqual(statuses, [403, 200])
    assert.deepEqual(notes, [{ user: 'dev', verb: 'list', group: '', resource: 'secrets', namespace: 'default' }])
  } finally {
    await server.stop()
  }
})
