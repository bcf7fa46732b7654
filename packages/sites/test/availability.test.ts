/** The audit of subclouds on one site: who is asked, what is shown, what is alarming. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Sql } from '@godwit/store'
import { RehomeRig } from './rehome-rig.ts'

const HERE = { site: 'site-b', credentials: 'secret-b' }
const managed = { deploy_status: 'complete', management_state: 'managed' }
const MINUTE_MS = 60_000

async function setUp(t: TestContext, row: Record<string, string>, isHere = true): Promise<RehomeRig> {
  const simulated = isHere ? { home: HERE } : {}
  const rig = await RehomeRig.build({ subcloud: () => ({ row, simulated }) })
  t.after(() => rig.stop())
  await rig.write(sql => insertRowOfStatus(sql, 'platform').then(() => insertRowOfStatus(sql, 'identity')))
  rig.start()
  await rig.wakeAll()
  return rig
}

const insertRowOfStatus = (sql: Sql, endpoint: string) =>
  sql.run("insert into subcloud_status (subcloud_id, endpoint_type, sync_status) values (1, ?, 'unknown')", [endpoint])
const endpoints = async (rig: RehomeRig) =>
  (await rig.write(sql => sql.all('select distinct sync_status from subcloud_status'))).map(row => row['sync_status'])

test('a managed subcloud that answers is online and in sync; powered off it is offline, with the alarm, and back', async t => {
  const rig = await setUp(t, managed)
  await rig.pass(MINUTE_MS)
  assert.deepEqual([(await rig.row()).availability, await endpoints(rig)], ['online', ['in-sync']])
  rig.subclouds.turn('r1', { isPoweredOn: false })
  await rig.pass(30_000)
  assert.equal((await rig.row()).availability, 'online', 'one look that failed is no outage')
  await rig.pass(2 * MINUTE_MS)
  assert.deepEqual([(await rig.row()).availability, await endpoints(rig)], ['offline', ['unknown']])
  assert.deepEqual(await rig.alarms(), ['280.001 subcloud=s1'])
  rig.subclouds.turn('r1', { isPoweredOn: true })
  await rig.pass(MINUTE_MS)
  assert.deepEqual(
    [(await rig.row()).availability, await endpoints(rig), await rig.alarms()],
    ['online', ['in-sync'], []],
  )
})

for (const [agoMs, misses] of [
  [9_000, 0],
  [10_000, 1],
  [-1_000, 1],
] as const)
  test(`one that a rehome has heard of ${agoMs} ms ago is ${misses ? 'asked' : 'not asked again'}, and an outage is noticed all the same`, async t => {
    const rig = await setUp(t, { ...managed, availability_status: 'online' })
    rig.subclouds.turn('r1', { isPoweredOn: false })
    await rig.write(sql => sql.run('update subcloud set answered_ms = ?', [rig.clock.now() - agoMs]))
    await rig.pass(500)
    const { availability, auditFailCount } = await rig.row()
    assert.deepEqual([availability, auditFailCount, await endpoints(rig)], ['online', misses, ['in-sync']])
    await rig.pass(2 * MINUTE_MS)
    assert.deepEqual([(await rig.row()).availability, await rig.alarms()], ['offline', ['280.001 subcloud=s1']])
  })

test('LP 2047439, scenario 3: one that is being handed over is asked while it answers, and not any more then', async t => {
  const rig = await setUp(t, { deploy_status: 'rehome-pending', availability_status: 'online' })
  await rig.pass(2 * MINUTE_MS)
  assert.deepEqual([(await rig.row()).availability, await endpoints(rig)], ['online', ['unknown']])
  rig.subclouds.turn('r1', { isPoweredOn: false })
  await rig.pass(3 * MINUTE_MS)
  assert.deepEqual([(await rig.row()).availability, await rig.alarms()], ['offline', []])
  rig.subclouds.turn('r1', { isPoweredOn: true })
  await rig.pass(5 * MINUTE_MS)
  assert.equal((await rig.row()).availability, 'offline', 'audits have stopped')
})

test('scenario 4: one that is managed again while it was offline comes online and in sync', async t => {
  const rig = await setUp(t, { deploy_status: 'rehome-pending' })
  await rig.pass(2 * MINUTE_MS)
  await rig.write(sql => sql.run("update subcloud set deploy_status = 'complete', management_state = 'managed'"))
  await rig.wakeAll()
  await rig.pass(MINUTE_MS)
  assert.deepEqual([(await rig.row()).availability, await endpoints(rig)], ['online', ['in-sync']])
})

test('scenario 5: one that became secondary is offline without an alarm, and is not asked', async t => {
  const rig = await setUp(t, managed)
  rig.subclouds.turn('r1', { isPoweredOn: false })
  await rig.pass(3 * MINUTE_MS)
  assert.equal((await rig.alarms()).length, 1)
  const standDown = "deploy_status = 'secondary', management_state = 'unmanaged', availability_status = 'online'"
  await rig.write(sql => sql.run(`update subcloud set ${standDown}`))
  rig.subclouds.turn('r1', { isPoweredOn: true })
  await rig.wakeAll()
  await rig.pass(5 * MINUTE_MS)
  assert.deepEqual(
    [(await rig.row()).availability, await rig.alarms(), await endpoints(rig)],
    ['offline', [], ['unknown']],
  )
})

test('a subcloud that trusts another site is not online here, though it answers', async t => {
  const rig = await setUp(t, managed, false)
  await rig.pass(3 * MINUTE_MS)
  assert.deepEqual([(await rig.row()).availability, await rig.alarms()], ['offline', ['280.001 subcloud=s1']])
})
