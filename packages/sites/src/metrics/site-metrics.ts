/** What of a site is counted: read from its rows at each scrape, so that every replica says the same. */
import type { Row, Sql } from '@godwit/store'
import { QUEUES } from '../site.ts'
import { exposition, type Metric, type Sample } from './exposition.ts'

interface Query {
  readonly name: string
  readonly help: string
  readonly type?: 'counter'
  /** Its first column is the value, the others are labels. */
  readonly text: string
}

const QUERIES: readonly Query[] = [
  {
    name: 'subclouds',
    help: 'Subclouds by deploy status, management state and availability.',
    text: `select count(*) as value, deploy_status, management_state, availability_status from subcloud
      group by deploy_status, management_state, availability_status`,
  },
  {
    name: 'system_peers',
    help: 'Other sites by availability.',
    text: 'select count(*) as value, availability_state from system_peer group by availability_state',
  },
  {
    name: 'peer_missed_heartbeats',
    help: 'Looks at another site that failed since the last one that did not.',
    text: 'select misses as value, peer_uuid, peer_name from system_peer',
  },
  {
    name: 'associations',
    help: 'Associations of groups by type and sync status.',
    text: `select count(*) as value, association_type, sync_status from peer_group_association
      group by association_type, sync_status`,
  },
  {
    name: 'group_migrating',
    help: '1 while a group is migrating.',
    text: `select case when migration_status = 'migrating' then 1 else 0 end as value, peer_group_name
      from subcloud_peer_group`,
  },
  {
    name: 'alarms',
    help: 'Alarms that are raised.',
    text: 'select count(*) as value, alarm_id, severity from alarm group by alarm_id, severity',
  },
  {
    name: 'operations_open',
    help: 'Batches that have not ended, by stage.',
    text: 'select count(*) as value, stage from batch where ended_ms is null group by stage',
  },
  {
    name: 'operations_total',
    help: 'Batches that ended, by outcome.',
    type: 'counter',
    text: 'select count(*) as value, outcome from batch where ended_ms is not null group by outcome',
  },
  {
    name: 'members_open',
    help: 'Subclouds of a batch that have not ended, by stage.',
    text: 'select count(*) as value, stage from batch_member where ended_ms is null group by stage',
  },
  {
    name: 'members_total',
    help: 'Subclouds of a batch that ended, by outcome and code.',
    type: 'counter',
    text: `select count(*) as value, outcome, coalesce(code, '') as code from batch_member
      where ended_ms is not null group by outcome, code`,
  },
]

export async function siteMetrics(sql: Sql): Promise<string> {
  const metrics: Metric[] = []
  for (const { name, help, text, type = 'gauge' } of QUERIES)
    metrics.push({ name, help, type, samples: (await sql.all(text)).map(sampleOf) })
  return exposition([...metrics, ...(await queueMetrics(sql))])
}

const DUE = { name: 'queue_due', help: 'Keys of a queue that are due and that nobody works on.' }
const DELAY = { name: 'queue_delay_seconds', help: 'Since when the first of them has been due.' }

/** All metrics by name and meaning, for the docs. */
export const METRIC_DOCS: readonly { readonly name: string; readonly help: string }[] = [...QUERIES, DUE, DELAY]

async function queueMetrics(sql: Sql): Promise<Metric[]> {
  const nowMs = await sql.nowMs()
  const rows = await sql.all(
    `select queue, count(*) as due, min(due_ms) as first_ms from work
     where is_open = 1 and due_ms <= ? and until_ms <= ? group by queue`,
    [nowMs, nowMs],
  )
  const of = new Map(rows.map(row => [row['queue'], row]))
  const sample = (value: (row: Row) => number): Sample[] =>
    Object.values(QUEUES).map(queue => {
      const row = of.get(queue)
      return { labels: { queue }, value: row ? value(row) : 0 }
    })
  return [
    { ...DUE, type: 'gauge', samples: sample(row => Number(row['due'])) },
    { ...DELAY, type: 'gauge', samples: sample(row => (nowMs - Number(row['first_ms'])) / 1000) },
  ]
}

const sampleOf = ({ value, ...labels }: Row): Sample => ({
  value: Number(value),
  labels: Object.fromEntries(Object.entries(labels).map(([name, label]) => [name, String(label ?? '')])),
})
