import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedClusterMigration, MigrationTask } from '../api/index.ts'
import { migrationSamples, processSamples, taskSamples } from './collectors.ts'
import { describeMetrics, METRICS, Metrics } from './metrics.ts'

const render = (samples: ReturnType<typeof migrationSamples>) => {
  const metrics = new Metrics()
  metrics.add(() => samples)
  return metrics.render()
}

test('metrics have help, type and escaped labels, and a collector that was taken out is silent', () => {
  const metrics = new Metrics()
  const remove = metrics.add(() => [{ metric: 'godwit_hubs_migrations', labels: { phase: 'a"b\\c\nd' }, value: 2 }])
  metrics.add(() => [{ metric: 'godwit_leader', value: 1 }])
  assert.equal(
    metrics.render(),
    [
      '# HELP godwit_leader 1 while this process leads, 0 while it stands by.',
      '# TYPE godwit_leader gauge',
      'godwit_leader 1',
      '# HELP godwit_hubs_migrations Migrations by phase (controller).',
      '# TYPE godwit_hubs_migrations gauge',
      'godwit_hubs_migrations{phase="a\\"b\\\\c\\nd"} 2',
      '',
    ].join('\n'),
  )
  remove()
  assert.doesNotMatch(metrics.render(), /migrations/)
})

test('migrations are counted by phase, open clusters by state, and the longest wait is told', () => {
  const migration = (phase: string, over: object) => ({ metadata: { name: 'm' }, status: { phase, ...over } })
  const text = render(
    migrationSamples(
      [
        migration('Deploying', {
          clusters: { total: 5, deploying: 3, failed: 2 },
          waitingFor: [{ what: 'x', who: 'y', since: '2026-01-01T00:00:00Z' }],
        }),
        migration('Deploying', { clusters: { total: 1, deploying: 1 } }),
        migration('Completed', { clusters: { total: 9, completed: 9 }, residue: ['r'] }),
      ] as unknown as ManagedClusterMigration[],
      Date.parse('2026-01-01T00:01:30Z'),
    ),
  )
  for (const line of [
    'godwit_hubs_migrations{phase="Deploying"} 2',
    'godwit_hubs_migrations{phase="Completed"} 1',
    'godwit_hubs_clusters{state="deploying"} 4',
    'godwit_hubs_clusters{state="failed"} 2',
    'godwit_hubs_longest_wait_seconds 90',
    'godwit_hubs_residue 1',
  ])
    assert.ok(text.includes(`${line}\n`), `${line} is not in ${text}`)
  assert.doesNotMatch(text, /completed|total/)
})

test('tasks of a hub are counted by role, their clusters by stage and state', () => {
  const task = {
    spec: { role: 'Source', scope: 'Items' },
    status: { items: { a: { stage: 'Deploying', state: 'Done' } } },
  }
  const text = render(taskSamples([task, task] as unknown as MigrationTask[]))
  assert.match(text, /godwit_hubs_tasks\{role="Source",scope="Items"\} 2\n/)
  assert.match(text, /godwit_hubs_task_clusters\{role="Source",stage="Deploying",state="Done"\} 2\n/)
})

test('every metric is in the reference', () => {
  for (const name of Object.keys(METRICS)) assert.ok(describeMetrics().includes(`\`${name}\``))
  assert.ok(processSamples().every(({ value }) => value > 0))
})
