import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkedSites, UUIDS } from './linked-sites.ts'

const state = async (site: { row: (table: string) => Promise<Record<string, unknown>> }) =>
  (await site.row('system_peer'))['availability_state']

test('peer_monitor_notify: a peer is looked at as soon as a group is associated with it, and not before', async () => {
  const sites = await linkedSites({ isAssociated: false })
  await sites.beats(2)
  assert.deepEqual([sites.b.asked, await state(sites.a)], [[], 'created'])
  await sites.a.call('POST', '/peer-group-associations', {
    peer_group_id: 1,
    system_peer_id: 1,
    peer_group_priority: 1,
  })
  await sites.settle(0)
  assert.equal(await state(sites.a), 'available')
  await sites.settle()
  assert.equal(await state(sites.b), 'available', 'the association on the peer is one too')
})

test('peer_monitor_delete: without an association nobody looks any more, and the alarm ends', async () => {
  const sites = await linkedSites()
  sites.b.isDown = true
  await sites.beats(4)
  assert.deepEqual(await sites.a.alarms(), [`280.004 major peer=${UUIDS.b}`])
  const deleted = await sites.whileWorking(sites.a.call('DELETE', '/peer-group-associations/1?force=true'))
  assert.equal(deleted.status, 200)
  assert.deepEqual(await sites.a.alarms(), [])
  sites.b.isDown = false
  sites.b.asked.length = 0
  await sites.beats(2)
  assert.deepEqual(sites.b.asked, [])
})

test('becomes_unreachable, do_monitor_peer_raising_alarm: so many misses in a row as the threshold says', async () => {
  const sites = await linkedSites()
  sites.b.isDown = true
  await sites.beats(2)
  assert.deepEqual([await state(sites.a), await sites.a.alarms()], ['available', []])
  await sites.beats(1)
  assert.equal(await state(sites.a), 'unavailable')
  assert.deepEqual(await sites.a.alarms(), [`280.004 major peer=${UUIDS.b}`])
})

test('the alarm is critical on the site whose groups the lost one leads', async () => {
  const sites = await linkedSites()
  sites.a.isDown = true
  await sites.beats(4)
  assert.deepEqual(await sites.b.alarms(), [`280.004 critical peer=${UUIDS.a}`])
  await sites.b.write(sql =>
    sql.run('update subcloud_peer_group set system_leader_id = ?, version = version + 1', [UUIDS.b]),
  )
  await sites.beats(1)
  assert.deepEqual(await sites.b.alarms(), [`280.004 major peer=${UUIDS.a}`])
})

test('LP 2055030, becomes_reachable, non_primary: in-sync, unknown while the peer is away, in-sync on both when it is back', async () => {
  const sites = await linkedSites()
  sites.b.isDown = true
  await sites.beats(4)
  assert.deepEqual([await sites.a.sync(), await sites.a.message()], ['unknown', 'Peer site is unreachable'])
  assert.equal(await sites.b.sync(), 'in-sync', 'the mark of the copy is the word of the primary site')
  sites.b.isDown = false
  await sites.beats(2)
  assert.deepEqual([await sites.a.sync(), await sites.a.message(), await sites.b.sync()], ['in-sync', null, 'in-sync'])
  assert.deepEqual([await state(sites.a), await sites.a.alarms()], ['available', []])
})

test('LP 2055030: an edit while the peer is away is failed, and out-of-sync on both when it is back', async () => {
  const sites = await linkedSites()
  sites.b.isDown = true
  await sites.beats(4)
  const edited = await sites.a.call('PATCH', '/subclouds/s1', { description: 'edited meanwhile' })
  assert.equal(edited.status, 200)
  await sites.settle()
  assert.equal(await sites.a.sync(), 'failed')
  sites.b.isDown = false
  await sites.beats(2)
  assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['out-of-sync', 'out-of-sync'])
})

test('LP 2054123: an edit marks both sites at once, also when the process dies between the two marks', async () => {
  for (let diesAt = 1; diesAt < 12; diesAt++) {
    const sites = await linkedSites({ members: 1 })
    sites.a.events = 0
    sites.a.diesAt = diesAt
    await sites.a.call('PATCH', '/subclouds/s1', { description: 'edited' })
    await sites.settle()
    await sites.settle()
    assert.deepEqual(
      [await sites.a.sync(), await sites.b.sync()],
      ['out-of-sync', 'out-of-sync'],
      `killed at ${diesAt}`,
    )
  }
})

test('misses are durable, and looks that somebody asked for between two heartbeats are none', async () => {
  const sites = await linkedSites()
  sites.b.isDown = true
  for (let edit = 1; edit <= 5; edit++) {
    await sites.a.call('PATCH', '/system-peers/1', { peer_controller_gateway_address: `192.168.205.${100 + edit}` })
    await sites.settle(0)
  }
  assert.equal(await state(sites.a), 'available')
  await sites.beats(2)
  sites.a.diesAt = sites.a.events + 1
  await sites.beats(2)
  assert.equal(await state(sites.a), 'unavailable')
})

test('a clock that is set back by hours does not put off the loss of a peer', async () => {
  const sites = await linkedSites()
  await sites.a.write(async sql => {
    await sql.run('update system_peer set looked_ms = looked_ms + 36000000')
  })
  sites.b.isDown = true
  await sites.beats(4)
  assert.equal(await state(sites.a), 'unavailable')
})
