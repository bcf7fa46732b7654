import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alarmChanges } from './changes.ts'
import {
  type Alarm,
  alarmKey,
  groupLedByPeer,
  peerUnreachable,
  subcloudOffline,
  subcloudOutOfSync,
} from './definitions.ts'

const lost = (ledGroups: readonly string[]) => peerUnreachable({ uuid: 'u', name: 'b', ledGroups })

test('entities are spelled as operators look for them', () => {
  const away = groupLedByPeer({ group: 'g', peerUuid: 'u', peerName: 'b' })
  assert.deepEqual([subcloudOffline('s'), subcloudOutOfSync('s', 'dc-cert'), lost([]), away].map(alarmKey), [
    '280.001 subcloud=s',
    '280.002 subcloud=s.resource=dc-cert',
    '280.004 peer=u',
    '280.005 peer_group=g,peer=u',
  ])
})

test('a lost peer is critical when it leads groups, and they are named', () => {
  assert.deepEqual([lost([]).severity, lost(['g1', 'g2']).severity], ['major', 'critical'])
  assert.match(lost(['g1', 'g2']).text, /g1, g2/)
})

test('only what changes is raised or cleared', () => {
  const present: Alarm[] = [lost([]), subcloudOffline('s1')]
  assert.deepEqual(alarmChanges(present, present), { raise: [], clear: [] })
  assert.deepEqual(alarmChanges(present, [lost(['g1'])]), { raise: [lost(['g1'])], clear: [subcloudOffline('s1')] })
  assert.deepEqual(alarmChanges([], present), { raise: present, clear: [] })
})
