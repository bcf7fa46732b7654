import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { insertRow, migrateSchema, wakeWork } from '@godwit/store'
import { testedDatabases } from '../../../../scripts/testing/databases.ts'
import { sitesSchema } from '../state/schema.ts'
import { exposition } from './exposition.ts'
import { METRIC_DOCS, siteMetrics } from './site-metrics.ts'

const alarm = { severity: 'major', reason: '', repair: '', raised_at: '' }

for (const { name, make } of testedDatabases)
  test(`${name}: rows are counted by what they are, an empty site has every metric`, async t => {
    const clock = new VirtualClock()
    const database = (await make(t))(clock)
    await migrateSchema(database, sitesSchema)
    const empty = await database.transaction(siteMetrics)
    for (const metric of METRIC_DOCS) assert.match(empty, new RegExp(`^# TYPE godwit_sites_${metric.name} `, 'm'))
    assert.match(empty, /^godwit_sites_queue_due\{queue="batch"\} 0$/m)
    await database.transaction(async sql => {
      await wakeWork(sql, 'batch', '1')
      await insertRow(sql, 'alarm', { ...alarm, alarm_id: '280.001', entity: 'subcloud=a' })
      await insertRow(sql, 'alarm', { ...alarm, alarm_id: '280.001', entity: 'subcloud=b' })
    })
    clock.advance(2500)
    const text = await database.transaction(siteMetrics)
    assert.match(text, /^godwit_sites_alarms\{alarm_id="280.001",severity="major"\} 2$/m)
    assert.match(text, /^godwit_sites_queue_due\{queue="batch"\} 1$/m)
    assert.match(text, /^godwit_sites_queue_delay_seconds\{queue="batch"\} 2.5$/m)
  })

test('what stands in a label cannot end it', () => {
  const samples = [{ labels: { a: 'x"} 1\n\\' }, value: 2 }]
  assert.equal(
    exposition([{ name: 'm', type: 'gauge', help: 'h', samples }]),
    '# HELP godwit_sites_m h\n# TYPE godwit_sites_m gauge\ngodwit_sites_m{a="x\\"} 1\\n\\\\"} 2\n',
  )
})
