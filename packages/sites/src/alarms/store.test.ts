import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { migrateSchema, type Sql, selectRows } from '@godwit/store'
import { testedDatabases } from '../../../../scripts/testing/databases.ts'
import { sitesSchema } from '../state/schema.ts'
import { peerUnreachable, subcloudOffline, subcloudOutOfSync } from './definitions.ts'
import { clearAlarm, clearSubcloudAlarms, raiseAlarm } from './store.ts'

const lost = (ledGroups: readonly string[]) => peerUnreachable({ uuid: 'u', name: 'b', ledGroups })
const keys = async (sql: Sql) => (await selectRows(sql, 'alarm')).map(row => `${row['alarm_id']} ${row['entity']}`)

for (const { name, make } of testedDatabases) {
  test(`${name}: an alarm that is raised again keeps its beginning and takes the new severity; cleared twice is fine`, async t => {
    const clock = new VirtualClock()
    const database = (await make(t))(clock)
    await migrateSchema(database, sitesSchema)
    await database.transaction(sql => raiseAlarm(sql, lost([])))
    const [first] = await database.transaction(sql => selectRows(sql, 'alarm'))
    clock.advance(60_000)
    await database.transaction(sql => raiseAlarm(sql, lost([])))
    await database.transaction(sql => raiseAlarm(sql, lost(['g'])))
    const [row, ...others] = await database.transaction(sql => selectRows(sql, 'alarm'))
    assert.deepEqual(others, [])
    assert.deepEqual([row?.['severity'], row?.['raised_at'], row?.['version']], ['critical', first?.['raised_at'], 2])
    await database.transaction(sql => clearAlarm(sql, lost([])))
    await database.transaction(sql => clearAlarm(sql, lost([])))
    assert.deepEqual(await database.transaction(keys), [])
  })

  test(`${name}: alarms of a subcloud end together, and those of others with a longer name stay`, async t => {
    const database = (await make(t))(new VirtualClock())
    await migrateSchema(database, sitesSchema)
    const left = await database.transaction(async sql => {
      for (const alarm of [
        subcloudOffline('s1'),
        subcloudOutOfSync('s1', 'dc-cert'),
        subcloudOutOfSync('s1', 'platform'),
        subcloudOffline('s10'),
        subcloudOutOfSync('s10', 'platform'),
        lost([]),
      ])
        await raiseAlarm(sql, alarm)
      await clearSubcloudAlarms(sql, 's1')
      return await keys(sql)
    })
    assert.deepEqual(left, ['280.001 subcloud=s10', '280.002 subcloud=s10.resource=platform', '280.004 peer=u'])
  })
}
