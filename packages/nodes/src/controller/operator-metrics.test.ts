import assert from 'node:assert/strict'
import { test } from 'node:test'
import { record, set } from '../../test/set-world.ts'
import { OperatorMetrics } from './operator-metrics.ts'

test('metrics tell sets by phase, moves by stage, and downtime apart from duration', () => {
  const metrics = new OperatorMetrics()
  metrics.watch(() => [set({}, { phase: 'Running' }), set({}, { phase: 'Migrating', migrations: [record()] })])
  const over = { podName: 'demo-0', id: 'x', source: 'a', generation: 1, finishedAt: '' }
  metrics.finished({ ...over, outcome: 'Completed', totalMs: 3000, downtimeMs: 1500 })
  const lines = metrics.render().split('\n')
  for (const line of [
    'cocoon_operator_cocoonsets{phase="Migrating"} 1',
    'cocoon_operator_migrations{stage="Quiesce"} 1',
    'cocoon_operator_snapshot_debts 0',
    'cocoon_operator_migrations_total{outcome="Completed"} 1',
    'cocoon_operator_migration_duration_seconds_sum 3',
    'cocoon_operator_migration_downtime_seconds_sum 1.5',
  ])
    assert.ok(lines.includes(line), line)
})
