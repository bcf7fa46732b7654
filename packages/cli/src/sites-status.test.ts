import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSiteStatus, renderSiteStatus, showSiteStatus } from './sites-status.ts'

const ANSWERS: Readonly<Record<string, unknown>> = {
  '/system-peers': { system_peers: [{ id: 7, 'peer-name': 'site-b', 'availability-state': 'unavailable' }] },
  '/subcloud-peer-groups': {
    subcloud_peer_groups: [
      { id: 3, peer_group_name: 'g', system_leader_name: 'site-a', migration_status: 'migrating' },
    ],
  },
  '/subcloud-peer-groups/3/status': {
    total_subclouds: 4,
    managed: 1,
    waiting_for_migrate: 2,
    rehoming: 1,
    rehome_failed: 0,
  },
  '/peer-group-associations': {
    peer_group_associations: [{ 'peer-group-id': 3, 'system-peer-id': 7, 'sync-status': 'unknown' }],
  },
  '/operations': {
    operations: [
      {
        operation_id: 'op-1',
        peer_group_name: 'g',
        stage: 'Moving',
        outcome: null,
        eta: '2026-01-01T00:01:00Z',
        progress: { complete: 1, failed: 0, total: 4 },
        subclouds: [
          { name: 's1', stage: 'Managing', outcome: 'complete', waits_for: null },
          {
            name: 's2',
            stage: 'Adopting',
            outcome: null,
            waits_for: 's2 to come online',
            waits_on: 'the subcloud',
            since: '2026-01-01T00:00:00Z',
          },
        ],
      },
      { operation_id: 'op-0', outcome: 'complete' },
    ],
  },
  '/failovers': { failovers: [] },
  '/alarms': {
    alarms: [
      {
        alarm_id: '280.004',
        severity: 'major',
        reason_text: 'Peer site\u001b[2J is gone',
        proposed_repair_action: 'Migrate',
      },
    ],
  },
}

test('a status tells peers, groups, what runs and waits, and alarms, one line each', async () => {
  const status = await readSiteStatus({ request: async ({ path }) => ANSWERS[path] })
  assert.deepEqual(renderSiteStatus(status), [
    'Peers',
    '  site-b: unavailable',
    '',
    'Groups',
    '  g: led by site-a, migrating',
    '      4 subclouds: 1 managed here, 2 copies, 1 rehoming, 0 failed',
    '      unknown with site-b',
    '',
    'Operations',
    '  op-1 of g: Moving, 1 of 4 moved, 0 failed, over at about 2026-01-01T00:01:00Z',
    '      s2: Adopting: waits for s2 to come online (the subcloud) since 2026-01-01T00:00:00Z',
    '',
    'Lost peers',
    '  none',
    '',
    'Alarms',
    '  280.004 major: Peer site [2J is gone',
    '      Migrate',
    '',
  ])
})

test('without an address, a name and a password nobody is asked', async () => {
  await assert.rejects(showSiteStatus({ authUrl: 'http://127.0.0.1:1/v3', username: 'admin' }), /OS_PASSWORD/)
})
