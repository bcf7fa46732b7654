import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable } from '@godwit/core'
import { KubeClient, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import type { ConfigMap, ManagedClusterMigration } from '../api/index.ts'
import { MAX_PAGE_BYTES, paginate, writePages } from './pages.ts'

const migration = {
  apiVersion: 'global-hub.open-cluster-management.io/v1alpha1',
  kind: 'ManagedClusterMigration',
  metadata: { name: 'm', namespace: 'default', uid: 'u1' },
} as ManagedClusterMigration

const bytesOf = ({ data = {} }: ConfigMap) => Buffer.byteLength(Object.entries(data).flat().join(''))

test('entries fill pages in their order, none is lost and no page is too large', () => {
  const entries = Array.from({ length: 700 }, (_, index) => ({ key: `c-${index}`, text: 'ü'.repeat(1500) }))
  const pages = paginate(migration, 'plan', entries)
  assert.equal(pages.length, 3)
  assert.deepEqual(
    pages.map(({ metadata }) => metadata.name),
    ['m-plan-000', 'm-plan-001', 'm-plan-002'],
  )
  for (const page of pages) assert.ok(bytesOf(page) <= MAX_PAGE_BYTES)
  assert.deepEqual(
    pages.flatMap(({ data = {} }) => Object.keys(data)),
    entries.map(({ key }) => key),
  )
})

test('an entry that no page can hold is cut off and says so; nothing to say needs no page', () => {
  const [page, ...more] = paginate(migration, 'runbook', [{ key: 'c', text: 'x'.repeat(MAX_PAGE_BYTES * 2) }])
  assert.ok(page && bytesOf(page) <= MAX_PAGE_BYTES && page.data?.['c']?.endsWith('(cut off: too long)\n'))
  assert.deepEqual([more, paginate(migration, 'plan', [])], [[], []])
})

test('a page that one answer says is there and another one is not is put off, and not asked for without end', async () => {
  let calls = 0
  const server = await KubeServer.start({ listen: false })
  try {
    const inner = server.transport()
    const client = new KubeClient({
      transport: {
        ...inner,
        request: async call => {
          if (++calls > 100) throw new Error('asked without end')
          if (call.method !== 'GET') return inner.request(call)
          const name = call.path.split('/').at(-1) ?? ''
          const answer = await inner.request({ ...call, path: call.path.replace(name, 'none') })
          return { ...answer, text: async () => (await answer.text()).replaceAll('none', name) }
        },
      },
    })
    const pages = paginate(migration, 'plan', [{ key: 'c', text: 'one' }])
    await writePages(client, pages)
    await assert.rejects(writePages(client, pages), Retryable)
  } finally {
    await server.stop()
  }
})

test('pages are made, changed where they differ, and one of somebody else is left alone', async () => {
  const server = await KubeServer.start({ listen: false })
  try {
    const client = new KubeClient({ transport: server.transport() })
    const read = (name: string) => client.get<ConfigMap>(resources.configMaps, { name, namespace: 'default' })
    const write = (text: string, of = migration) => writePages(client, paginate(of, 'report', [{ key: 'c', text }]))
    await write('one')
    const first = await read('m-report-000')
    await write('one')
    assert.equal((await read('m-report-000'))?.metadata.resourceVersion, first?.metadata.resourceVersion)
    await write('two')
    assert.equal((await read('m-report-000'))?.data?.['c'], 'two')
    const other = { ...migration, metadata: { ...migration.metadata, uid: 'u2' } }
    await assert.rejects(write('three', other), /does not belong to the migration/)
    assert.equal((await read('m-report-000'))?.data?.['c'], 'two')
  } finally {
    await server.stop()
  }
})
