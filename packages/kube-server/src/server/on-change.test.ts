import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api } from '../../test/api.ts'
import type { ChangeNote } from '../rest/call.ts'
import { KubeServer } from './kube-server.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

test('every write that changed something is told with who did it; refused, dry and empty ones are not', async () => {
  const notes: ChangeNote[] = []
  const onChange = (note: ChangeNote) => {
    if (note.user.name === 'dev') notes.push(note)
  }
  const server = await KubeServer.start({ listen: false, onChange })
  try {
    const api = new Api(server.transport({ name: 'dev', groups: [] }))
    await api.create(configMaps, { metadata: { name: 'c' }, data: { a: '1' } })
    await api.send('POST', configMaps, { metadata: { name: 'c' } })
    await api.merge(`${configMaps}/c`, { data: { a: '1' } })
    await api.merge(`${configMaps}/c?dryRun=All`, { data: { a: '2' } })
    await api.merge(`${configMaps}/c`, { data: { a: '3' } })
    await api.send('DELETE', `${configMaps}/c`)
    const dataOf = (object: unknown) => (object as { data?: { a: string } } | undefined)?.data?.a
    assert.deepEqual(
      notes.map(({ collection, before, after }) => [collection, dataOf(before), dataOf(after)]),
      [
        ['configmaps', undefined, '1'],
        ['configmaps', '1', '3'],
        ['configmaps', '3', undefined],
      ],
    )
  } finally {
    await server.stop()
  }
})
