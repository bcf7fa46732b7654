import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LinkedSites, linkedSites, UUIDS } from './linked-sites.ts'

const remove = async (sites: LinkedSites, force = false) =>
  await sites.whileWorking(sites.a.call('DELETE', `/peer-group-associations/1${force ? '?force=true' : ''}`))
const left = async ({ a, b }: LinkedSites) => [
  (await a.rows('peer_group_association')).length,
  (await b.rows('peer_group_association')).length,
  (await b.rows('subcloud_peer_group')).length,
  (await b.rows('subcloud')).length,
]

test('LP 2046809: with the primary association its copy goes: association, group and members', async () => {
  const sites = await linkedSites()
  assert.equal((await sites.b.call('DELETE', '/subcloud-peer-groups/g')).status, 400)
  assert.equal((await remove(sites)).status, 200)
  assert.deepEqual(await left(sites), [0, 0, 0, 0])
  assert.deepEqual(await sites.a.members(), ['s1 complete managed', 's2 complete managed', 's3 complete managed'])
})

test('delete_peer_group_association_secondary: what the other site manages stays there, without a group', async () => {
  const sites = await linkedSites()
  await sites.b.edit('s2', { deploy_status: 'complete', management_state: 'managed' })
  assert.equal((await remove(sites)).status, 200)
  assert.deepEqual(await left(sites), [0, 0, 0, 1])
  assert.equal((await sites.b.row('subcloud', { name: 's2' }))['peer_group_id'], null)
})

test('6f316687: a peer that refuses one deletion is heard: an error with the name, and the association says failed', async () => {
  const sites = await linkedSites({ members: 50 })
  sites.b.refuses = /DELETE .*\/subclouds\/s7$/
  const answer = await remove(sites)
  assert.equal(answer.status, 422)
  assert.match(String(answer.body['message']), /Deletion of s7 on the peer site failed\. s7: refused by the test/)
  assert.deepEqual(await left(sites), [1, 1, 1, 1])
  assert.equal(await sites.a.sync(), 'failed')
  sites.b.refuses = undefined
  assert.equal((await remove(sites)).status, 200)
  assert.deepEqual(await left(sites), [0, 0, 0, 0])
})

test('a dead peer is said so, and an association with it goes by force (H10)', async () => {
  const sites = await linkedSites()
  sites.b.isDown = true
  const answer = await remove(sites)
  assert.equal(answer.status, 422)
  assert.match(String(answer.body['message']), /unreachable.*force=true/)
  assert.equal((await sites.a.rows('peer_group_association')).length, 1)
  assert.equal((await remove(sites, true)).status, 200)
  assert.deepEqual(await sites.a.rows('peer_group_association'), [])
  assert.equal((await sites.a.call('DELETE', '/system-peers/1')).status, 200)
})

test('delete_peer_group_association_uuid_does_not_match, _subcloud_pg_notfound: only what is here is deleted', async () => {
  const other = await linkedSites()
  await other.a.write(sql =>
    sql.run("update system_peer set peer_uuid = '00000000-0000-4000-8000-000000000001', version = version + 1"),
  )
  assert.equal((await remove(other)).status, 200)
  assert.deepEqual(await left(other), [0, 1, 1, 3])
  const gone = await linkedSites()
  await gone.b.write(async sql => {
    await sql.run('update subcloud set peer_group_id = null')
    await sql.run('delete from peer_group_association')
    await sql.run('delete from subcloud_peer_group')
  })
  assert.equal((await remove(gone)).status, 200)
  assert.deepEqual(await left(gone), [0, 0, 0, 3])
})

test('delete_peer_group_association_priority, _failed_sp_notfound', async () => {
  const primary = await linkedSites()
  await primary.b.write(sql => sql.run('update subcloud_peer_group set group_priority = 0, version = version + 1'))
  const answer = await remove(primary)
  assert.equal(answer.status, 422)
  assert.match(String(answer.body['message']), /priority 0 on the peer site/)
  const unknown = await linkedSites()
  await unknown.b.write(sql => sql.run(`update system_peer set peer_uuid = '00000000-0000-4000-8000-000000000002'`))
  assert.equal((await remove(unknown)).status, 200)
  assert.deepEqual(await left(unknown), [0, 1, 1, 0], 'its association is with somebody else')
})

test('a deletion that was killed at any point is done to its end by the next life', async () => {
  let last = 1
  for (let diesAt = 1; diesAt <= last; diesAt++) {
    const sites = await linkedSites({ members: 2 })
    sites.a.events = 0
    sites.a.diesAt = diesAt
    await sites.whileWorking(sites.a.call('DELETE', '/peer-group-associations/1'))
    await sites.settle(40_000)
    last = Math.max(last, diesAt === 1 ? sites.a.events : 0)
    assert.deepEqual(await left(sites), [0, 0, 0, 0], `killed at ${diesAt}`)
  }
  assert.ok(last > 10, `${last} points`)
})

test('the group that was away is not said to be away when nothing connects it with the peer any more', async () => {
  const sites = await linkedSites()
  await sites.a.write(sql =>
    sql.run(
      `insert into alarm (version, alarm_id, entity, severity, reason, repair, raised_at)
       values (1, '280.005', ?, 'major', '', '', '2026-01-01')`,
      [`peer_group=g,peer=${UUIDS.b}`],
    ),
  )
  await remove(sites, true)
  assert.deepEqual(await sites.a.alarms(), [])
})
