import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '@godwit/store'
import { type LinkedSite, type LinkedSites, linkedSites, UUIDS } from './linked-sites.ts'

const MANAGED: Row = { deploy_status: 'complete', management_state: 'managed', availability_status: 'online' }
const PENDING: Row = { deploy_status: 'rehome-pending', management_state: 'unmanaged' }
const FAILED: Row = { deploy_status: 'rehome-failed', management_state: 'unmanaged' }
const AWAY = `280.005 major peer_group=g,peer=${UUIDS.b}`

/** What a batch of a site leaves behind: members as given, the leader, and the mark that it has ended. */
async function migrated(site: LinkedSite, members: Readonly<Record<string, Row>>, epoch = 3): Promise<void> {
  for (const [name, columns] of Object.entries(members)) await site.edit(name, { ...columns, owner_epoch: epoch })
  await site.write(sql =>
    sql.run(
      `update subcloud_peer_group set system_leader_id = ?, system_leader_name = ?, migration_status = 'complete',
       version = version + 1`,
      [site.site.identity.uuid, site.site.identity.name],
    ),
  )
}

const all = (columns: Row) => ({ s1: columns, s2: columns, s3: columns })
const status = async (site: LinkedSite) => (await site.row('subcloud_peer_group'))['migration_status']
const address = async (site: LinkedSite, name: string) =>
  JSON.parse(String((await site.row('subcloud', { name }))['rehome_data'])).saved_payload['bootstrap-address']
const gateway = async (site: LinkedSite, name: string) =>
  JSON.parse(String((await site.row('subcloud', { name }))['rehome_data'])).saved_payload[
    'systemcontroller_gateway_address'
  ]

/** As the seed's edit on the other site: values with an own count, its association out of sync. */
async function corrected(site: LinkedSite, name: string, to: string): Promise<void> {
  const { saved_payload: payload } = JSON.parse(String((await site.row('subcloud', { name }))['rehome_data']))
  await site.edit(name, {
    rehome_data: JSON.stringify({ saved_payload: { ...payload, 'bootstrap-address': to } }),
    values_version: JSON.stringify({ [UUIDS.a]: 1, [site.site.identity.uuid]: 2 }),
  })
  await site.write(sql =>
    sql.run("update peer_group_association set sync_status = 'out-of-sync', version = version + 1"),
  )
}

const ask = (site: LinkedSite, from: LinkedSite) =>
  site.call('PATCH', '/subcloud-peer-groups/g/audit', {
    peer_uuid: from.site.identity.uuid,
    peer_group_name: 'g',
    group_priority: 1,
    group_state: 'enabled',
    system_leader_id: from.site.identity.uuid,
    system_leader_name: from.site.identity.name,
    migration_status: 'complete',
  })

test('complete_all_success: members become secondary, an edit comes home, what was removed is deleted, all is acknowledged', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  for (const name of ['s1', 's2', 's3']) await a.edit(name, PENDING)
  await migrated(b, { s1: MANAGED, s2: MANAGED, s3: MANAGED })
  await corrected(b, 's2', '10.99.0.1')
  await b.call('PATCH', '/subclouds/s3', { peer_group: 'none' })
  await b.write(sql =>
    sql.run("update subcloud set peer_group_id = null where name = 's3'").then(() =>
      sql.run(
        `insert into tombstone (version, peer_group_name, region_name, name, owner_epoch, created_at)
         select 1, 'g', region_name, name, owner_epoch, '2026-01-01' from subcloud where name = 's3'
         on conflict do nothing`,
      ),
    ),
  )
  await ask(a, b)
  await sites.settle()
  assert.deepEqual(await a.members(), ['s1 secondary unmanaged', 's2 secondary unmanaged'])
  assert.deepEqual([await address(a, 's2'), await gateway(a, 's2')], ['10.99.0.1', '192.168.204.101'])
  assert.deepEqual([await a.leader(), await b.leader(), await status(b)], [UUIDS.b, UUIDS.b, null])
  assert.deepEqual([await a.sync(), await b.sync()], ['in-sync', 'in-sync'])
  assert.deepEqual(await a.alarms(), [AWAY])
  const row = await a.row('subcloud', { name: 's1' })
  assert.deepEqual([row['availability_status'], row['owner_epoch']], ['offline', 3])
})

for (const [what, onB, expected] of [
  ['partial_failure', { s1: MANAGED, s2: FAILED, s3: MANAGED }, ['secondary', 'rehome-failed', 'secondary']],
  ['all_failed', all(FAILED), ['rehome-failed', 'rehome-failed', 'rehome-failed']],
] as const)
  test(`${what}: failed ones are failed here too, nothing is deleted, the leader is followed whatever the outcome`, async () => {
    const sites = await linkedSites()
    for (const name of ['s1', 's2', 's3']) await sites.a.edit(name, PENDING)
    await migrated(sites.b, onB)
    await ask(sites.a, sites.b)
    await sites.settle()
    assert.deepEqual(
      await sites.a.members(),
      expected.map((deploy, index) => `s${index + 1} ${deploy} unmanaged`),
    )
    assert.deepEqual([await sites.a.leader(), await status(sites.b)], [UUIDS.b, null])
  })

test('management_state_managed: while the other site migrates, what it takes in is handed over, and nothing else', async () => {
  const sites = await linkedSites()
  await sites.b.edit('s1', { deploy_status: 'rehoming', owner_epoch: 3 })
  await sites.b.write(sql =>
    sql.run("update subcloud_peer_group set migration_status = 'migrating', version = version + 1"),
  )
  await sites.beats(1)
  assert.deepEqual(await sites.a.members(), [
    's1 rehome-pending unmanaged',
    's2 complete managed',
    's3 complete managed',
  ])
  assert.deepEqual([await sites.a.leader(), await status(sites.b)], [UUIDS.a, 'migrating'])
})

test('quit: while this site migrates, it is audited by nobody, and afterwards it is', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  await migrated(b, all(MANAGED))
  await a.write(sql => sql.run("update subcloud_peer_group set migration_status = 'migrating', version = version + 1"))
  await ask(a, b)
  await sites.beats(1)
  assert.deepEqual([(await a.members())[0], await status(b)], ['s1 complete managed', 'complete'])
  await a.write(sql => sql.run('update subcloud_peer_group set migration_status = null, version = version + 1'))
  await sites.beats(1)
  assert.deepEqual([(await a.members())[0], await status(b)], ['s1 secondary unmanaged', null])
})

test('LP 2049336: A off, B migrates, A on: A gives way and B manages; then away and back with both up', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  a.isDown = true
  await migrated(b, all(MANAGED))
  await sites.beats(4)
  a.isDown = false
  await sites.beats(1)
  assert.deepEqual(new Set((await a.members()).map(text => text.slice(3))), new Set(['secondary unmanaged']))
  assert.deepEqual(new Set((await b.members()).map(text => text.slice(3))), new Set(['complete managed']))
  assert.deepEqual([await a.leader(), await a.alarms(), await b.alarms()], [UUIDS.b, [AWAY], []])
  await migrated(a, all(MANAGED), 4)
  await ask(b, a)
  await sites.beats(1)
  assert.deepEqual(new Set((await b.members()).map(text => text.slice(3))), new Set(['secondary unmanaged']))
  assert.deepEqual([await b.leader(), await status(a), await a.alarms()], [UUIDS.a, null, []])
  assert.deepEqual([await a.sync(), await b.sync()], ['in-sync', 'in-sync'])
})

test('a group that this site has taken back is not away because the other one has not heard of it yet', async () => {
  const sites = await linkedSites()
  await sites.b.write(sql =>
    sql.run('update subcloud_peer_group set system_leader_id = ?, version = version + 1', [UUIDS.b]),
  )
  await ask(sites.a, sites.b)
  await sites.settle()
  assert.deepEqual([await sites.a.leader(), await sites.a.alarms()], [UUIDS.a, []])
})

test('LP 2052415: A off, B migrates, a member is removed on B, A on: it is deleted on A', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  a.isDown = true
  await sites.beats(4)
  await migrated(b, all(MANAGED))
  assert.equal((await b.call('PATCH', '/subclouds/s2', { peer_group: 'none' })).status, 200)
  a.isDown = false
  await sites.beats(1)
  assert.deepEqual(await a.members(), ['s1 secondary unmanaged', 's3 secondary unmanaged'])
  assert.deepEqual(await b.members(), ['s1 complete managed', 's2 complete managed', 's3 complete managed'])
})

test('a member that B failed to take in, and removed, stays where it is managed (H6)', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  a.isDown = true
  await sites.beats(4)
  await migrated(b, { s1: MANAGED, s2: FAILED, s3: MANAGED })
  assert.equal((await b.call('PATCH', '/subclouds/s2', { peer_group: 'none' })).status, 200)
  a.isDown = false
  await sites.beats(1)
  assert.deepEqual(await a.members(), ['s1 secondary unmanaged', 's2 complete managed', 's3 secondary unmanaged'])
})

test('a member that was added on A and never synced survives every audit, and so does a list that is empty (H6)', async () => {
  const sites = await linkedSites()
  await sites.b.write(sql => sql.run('update subcloud set peer_group_id = null'))
  await migrated(sites.b, {})
  await ask(sites.a, sites.b)
  await sites.beats(1)
  assert.equal((await sites.a.members()).length, 3)
  assert.equal(await sites.a.sync(), 'out-of-sync')
})

test('A back during the batch of B: out of sync at first, in-sync shortly after its end (LP 2054124)', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  a.isDown = true
  await sites.beats(4)
  await b.edit('s1', { ...MANAGED, owner_epoch: 3 })
  await b.edit('s2', { deploy_status: 'rehoming', owner_epoch: 3 })
  await b.write(sql => sql.run("update subcloud_peer_group set migration_status = 'migrating', version = version + 1"))
  a.isDown = false
  await sites.beats(1)
  assert.deepEqual(await a.members(), ['s1 secondary unmanaged', 's2 rehome-pending unmanaged', 's3 complete managed'])
  await migrated(b, all(MANAGED))
  await ask(a, b)
  await sites.settle()
  assert.deepEqual(new Set((await a.members()).map(text => text.slice(3))), new Set(['secondary unmanaged']))
  assert.deepEqual([await a.sync(), await b.sync(), await status(b)], ['in-sync', 'in-sync', null])
})

test('seed: an edit on B while A is away comes home also when A is back before the retry of B (H14)', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  a.isDown = true
  await sites.beats(4)
  await migrated(b, all(FAILED))
  const edit = await b.call('PATCH', '/subclouds/s1', { bootstrap_address: '10.2.1.77' })
  assert.equal(edit.status, 200)
  assert.equal(await b.sync(), 'out-of-sync')
  a.isDown = false
  await sites.beats(1)
  assert.deepEqual([await address(a, 's1'), await gateway(a, 's1')], ['10.2.1.77', '192.168.204.101'])
  assert.deepEqual(new Set((await a.members()).map(text => text.slice(3))), new Set(['rehome-failed unmanaged']))
  await migrated(b, all(MANAGED), 5)
  await ask(a, b)
  await sites.beats(1)
  assert.deepEqual([await a.sync(), await b.sync(), await a.leader()], ['in-sync', 'in-sync', UUIDS.b])
  assert.equal(await address(a, 's1'), '10.2.1.77')
})

test('an edit on both sides is shown as a conflict, and the edit that settles it goes over', async () => {
  const sites = await linkedSites({ members: 1 })
  const { a, b } = sites
  await corrected(b, 's1', '10.99.0.2')
  await a.call('PATCH', '/subclouds/s1', { bootstrap_address: '10.99.0.3' })
  await b.edit('s1', { values_version: JSON.stringify({ [UUIDS.a]: 1, [UUIDS.b]: 4 }) })
  await sites.beats(1)
  assert.deepEqual(
    [await address(a, 's1'), await address(b, 's1'), await a.sync()],
    ['10.99.0.3', '10.99.0.2', 'out-of-sync'],
  )
  await a.call('PATCH', '/subclouds/s1', { bootstrap_address: '10.99.0.4' })
  await a.call('PATCH', '/peer-group-associations/1/sync')
  await sites.beats(1)
  assert.deepEqual([await address(b, 's1'), await a.sync(), await b.sync()], ['10.99.0.4', 'in-sync', 'in-sync'])
})

test('an audit that was killed at any point ends in the same state, and acknowledges last (H16)', async () => {
  let last = 1
  for (let diesAt = 1; diesAt <= last; diesAt++) {
    const sites = await linkedSites()
    const { a, b } = sites
    await migrated(b, { s1: MANAGED, s2: FAILED, s3: MANAGED })
    a.events = 0
    a.diesAt = diesAt
    await ask(a, b)
    await sites.beats(2)
    last = Math.max(last, diesAt === 1 ? a.events : 0)
    assert.deepEqual(
      [await a.members(), await a.leader(), await status(b), await a.alarms()],
      [['s1 secondary unmanaged', 's2 rehome-failed unmanaged', 's3 secondary unmanaged'], UUIDS.b, null, [AWAY]],
      `killed at ${diesAt}`,
    )
  }
  assert.ok(last > 15, `${last} points`)
})

test('peer_group_audit_notify_skip: unknown peers and groups are named in the answer', async () => {
  const { a, b } = await linkedSites()
  const body = { peer_uuid: UUIDS.a, peer_group_name: 'g', group_priority: 1, group_state: 'enabled' }
  const rest = { system_leader_id: UUIDS.b, system_leader_name: 'site-b', migration_status: null }
  const answer = await a.call('PATCH', '/subcloud-peer-groups/g/audit', { ...body, ...rest })
  assert.match(String(answer.body['message']), /is not monitored/)
  assert.equal((await ask(a, b)).body['message'], null)
})

test('an audit reads lists, whatever the number of members', async () => {
  const sites = await linkedSites({ members: 60 })
  sites.b.asked.length = 0
  await ask(sites.a, sites.b)
  await sites.settle(0)
  assert.ok(sites.b.asked.length <= 8, `${sites.b.asked.length} requests`)
  await assertQuiet(sites)
})

async function assertQuiet({ a, b }: LinkedSites): Promise<void> {
  assert.deepEqual([await a.sync(), await b.sync()], ['in-sync', 'in-sync'])
}
