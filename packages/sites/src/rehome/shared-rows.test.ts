import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { deleteRow, insertRow, migrateSchema, type Row, selectRows, updateRow } from '@godwit/store'
import { testedDatabases } from '../../../../scripts/testing/databases.ts'
import { associationRow, groupRow, peerRow } from '../../test/rehome-rig.ts'
import { sitesSchema } from '../state/schema.ts'
import { beginBatch } from './new-batch.ts'
import { readShared, type SharedRows } from './shared-rows.ts'

const CHANGES: readonly (readonly [string, string, Row])[] = [
  ['batch', 'a cancel', { cancelled_ms: 5 }],
  ['subcloud_peer_group', 'another width', { max_subcloud_rehoming: 7 }],
  ['system_peer', 'a peer that is given up', { availability_state: 'unavailable' }],
]

for (const { name, make } of testedDatabases) {
  const setUp = async (t: Parameters<typeof make>[0], groupId = 1) => {
    const database = (await make(t))(new VirtualClock())
    await migrateSchema(database, sitesSchema)
    await database.transaction(async sql => {
      await insertRow(sql, 'subcloud_peer_group', groupRow(3))
      await insertRow(sql, 'system_peer', peerRow)
      await insertRow(sql, 'peer_group_association', associationRow)
      const group = groupId === 0 ? undefined : { id: groupId, name: 'g' }
      await beginBatch(sql, { operationId: 'o', group, subclouds: [], requestedBy: 'admin', sysadminPassword: 'pw' })
    })
    const read = (before?: SharedRows) =>
      database.transaction(sql => readShared(sql, 1, before && new Map([[1, before]])))
    return { database, read, first: await read() }
  }

  test(`${name}: what a batch shares is read once, as long as nobody changes it`, async t => {
    const { read, first } = await setUp(t)
    assert.deepEqual([first?.batch.id, first?.group?.maxRehoming, first?.peer?.['peer_name']], [1, 3, 'a'])
    assert.equal(await read(first), first)
  })

  for (const [table, what, columns] of CHANGES)
    test(`${name}: ${what} is seen by whoever has read before`, async t => {
      const { database, read, first } = await setUp(t)
      const [row] = await database.transaction(sql => selectRows(sql, table))
      const seen = { id: Number(row?.['id']), version: Number(row?.['version']) }
      await database.transaction(sql => updateRow(sql, table, seen, columns))
      const second = await read(first)
      assert.notEqual(second, first)
      assert.deepEqual(
        [second?.batch.cancelledMs, second?.group?.maxRehoming, second?.peer?.['availability_state']],
        [columns['cancelled_ms'], columns['max_subcloud_rehoming'] ?? 3, columns['availability_state'] ?? 'available'],
      )
    })

  test(`${name}: a group that loses its other site has none, and a batch that is gone is not there`, async t => {
    const { database, read, first } = await setUp(t)
    await database.transaction(sql => deleteRow(sql, 'peer_group_association', { id: 1, version: 1 }))
    const alone = await read(first)
    assert.deepEqual([alone?.group?.name, alone?.peer], ['g', undefined])
    assert.equal(await read(alone), alone)
    await database.transaction(sql => sql.run('delete from batch'))
    assert.equal(await read(alone), undefined)
  })

  test(`${name}: a subcloud that is taken in alone has neither group nor other site`, async t => {
    const { read, first } = await setUp(t, 0)
    assert.deepEqual([first?.batch.id, first?.group, first?.peer], [1, undefined, undefined])
    assert.equal(await read(first), first)
  })
}
