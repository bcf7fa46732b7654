import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pod, record, set, withAnnotations } from '../../test/set-world.ts'
import { countsOfPlan } from './counts-of-plan.ts'
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

test('phases of hibernations are told as histograms, by how they ended', () => {
  const metrics = new OperatorMetrics()
  for (const seconds of [5, 20, 4000]) metrics.took('hibernate_phase_duration_seconds', 'ok', seconds)
  metrics.took('wake_phase_duration_seconds', 'timeout', 300)
  const lines = metrics.render().split('\n')
  for (const line of [
    '# TYPE cocoon_operator_hibernate_phase_duration_seconds histogram',
    'cocoon_operator_hibernate_phase_duration_seconds_bucket{result="ok",le="10"} 1',
    'cocoon_operator_hibernate_phase_duration_seconds_bucket{result="ok",le="1800"} 2',
    'cocoon_operator_hibernate_phase_duration_seconds_bucket{result="ok",le="+Inf"} 3',
    'cocoon_operator_hibernate_phase_duration_seconds_sum{result="ok"} 4025',
    'cocoon_operator_wake_phase_duration_seconds_bucket{result="timeout",le="180"} 0',
    'cocoon_operator_wake_phase_duration_seconds_bucket{result="timeout",le="600"} 1',
  ])
    assert.ok(lines.includes(line), line)
})

test('rebuilds and dead letters are told by set, as far as there is room', () => {
  const metrics = new OperatorMetrics()
  for (let index = 0; index < 1100; index++)
    metrics.count({ name: 'subagent_rebuild_total', labels: ['ns', `set-${index}`] })
  const lines = metrics.render().split('\n')
  assert.ok(lines.includes('cocoon_operator_subagent_rebuild_total{namespace="ns",cocoonset="set-7"} 1'))
  assert.ok(lines.includes('cocoon_operator_subagent_rebuild_total{namespace="others",cocoonset="others"} 100'))
})

test('what is counted of a plan: its Events, seats that are given back, and where a set wakes', () => {
  const nothing = { status: {}, annotations: {}, effects: [], events: [], needs: [], afterMs: undefined }
  const namesOf = (of: ReturnType<typeof set>, plan: object) =>
    countsOfPlan({ set: of, pods: [pod(of, { node: 'node-a' })] }, { ...nothing, ...plan }).map(({ name, labels }) =>
      `${name} ${labels.join(' ')}`.trim(),
    )
  const events = ['SubAgentRebuilding', 'SubAgentDeadLetter', 'PodLifecycleFailed', 'MigrateNoCapacity', 'Other']
  assert.deepEqual(
    namesOf(set({}, { phase: 'Running' }), { events: events.map(reason => ({ type: 'Normal', reason, message: '' })) }),
    [
      'subagent_rebuild_total ns demo',
      'subagent_dead_letter_total ns demo',
      'lifecycle_state_failed_observed_total Running',
      'migrate_unschedulable_total',
    ],
  )
  const releasing = set({ hibernatePolicy: 'release', suspend: true })
  const released = { kind: 'deletePod', pod: pod(releasing), isKeepingSnapshot: true }
  const asleep = { status: { phase: 'Suspended' }, effects: [released] }
  assert.deepEqual(namesOf(releasing, asleep), ['slot_release_pods_deleted_total'])
  const hint = 'cocoonset.cocoonstack.io/hibernated-on-node'
  for (const [node, placement] of [
    ['node-a', 'hint-node'],
    ['node-b', 'pool'],
  ] as const) {
    const waking = withAnnotations(set(), { [hint]: node })
    assert.deepEqual(namesOf(waking, { annotations: { [hint]: null } }), [`slot_release_wake_total ${placement}`])
  }
})
