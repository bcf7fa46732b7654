/** Batches on one site: real workers and rows, simulated subclouds, virtual time. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { HOME_SWITCH } from '@godwit/simulation'
import { RehomeRig, type RigOptions } from './rehome-rig.ts'

async function setUp(t: TestContext, options: RigOptions = {}): Promise<RehomeRig> {
  const rig = await RehomeRig.build(options)
  t.after(() => rig.stop())
  rig.start()
  return rig
}

const states = async (rig: RehomeRig) =>
  (await rig.rows()).map(({ deployStatus, managementState, availability }) =>
    [deployStatus, managementState, availability].join(),
  )
const MANAGED = 'complete,managed,online'
const ALONE = { deploy_status: 'pre-rehome', peer_group_id: null }

test('migrate_subcloud: released at the other site, run, seen online, managed, led and reported', async t => {
  const rig = await setUp(t)
  await rig.migrate('op-1')
  const batch = await rig.passUntilEnded()
  assert.deepEqual([batch.outcome, batch.sysadminPassword], ['complete', undefined])
  assert.deepEqual(await states(rig), [MANAGED])
  const group = await rig.group()
  assert.deepEqual([group?.['system_leader_id'], group?.['migration_status']], ['site-b', 'complete'])
  assert.deepEqual(rig.peer.calls, ['release r1', 'audit g complete'])
  assert.deepEqual(rig.peer.members.get('r1')?.deployStatus, 'secondary')
  assert.deepEqual(
    rig.subclouds.history.map(({ from, to }) => [from, to]),
    [['site-a', 'site-b']],
  )
  assert.equal(rig.subclouds.started[0]?.sysadminPassword, 'pw')
})

test('what a member waits for a slot is counted, and nothing else', async t => {
  const rig = await setUp(t, { members: 2, width: 1, subcloud: () => ({ knobs: { stepMs: 60_000 } }) })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  const [first, second] = await rig.members()
  assert.equal(first?.queuedMs, 0)
  const runMs = first.run && 'endedMs' in first.run ? first.run.endedMs - first.run.startedMs : 0
  assert.ok(runMs >= 12 * 60_000)
  assert.ok((second?.queuedMs ?? 0) >= runMs - 1_000 && (second?.queuedMs ?? 0) <= runMs + 10_000)
})

test('many members that the other site does not let go do not hold up the others', async t => {
  const rig = await setUp(t, { members: 40, width: 40 })
  for (let number = 1; number <= 35; number++)
    Object.assign(rig.peer.members.get(`r${number}`) ?? {}, { deployStatus: 'rehoming' })
  await rig.migrate('op-1')
  await rig.pass(60_000)
  assert.deepEqual(
    (await rig.members()).filter(({ outcome }) => outcome === 'complete').map(({ name }) => name),
    ['s36', 's37', 's38', 's39', 's40'],
  )
})

test('batch_migrate_subcloud: members without values fail before anything is done, the others move', async t => {
  const rig = await setUp(t, { members: 4, subcloud: number => ({ row: number > 2 ? { rehome_data: null } : {} }) })
  await rig.migrate('op-1')
  const batch = await rig.passUntilEnded()
  assert.equal(batch.outcome, 'partly-failed')
  const failed = 'rehome-prep-failed,unmanaged,offline'
  assert.deepEqual(await states(rig), [MANAGED, MANAGED, failed, failed])
  const [, , third] = await rig.members()
  assert.deepEqual([third?.code, third?.run], ['ValuesMissing', undefined])
  assert.match((await rig.row('s3')).errorDescription, /bootstrap-address/)
  assert.equal(rig.peer.members.get('r3')?.deployStatus, 'complete', 'it was left where it was')
})

test('rehome_subcloud_failed: the reason is shown, the other site knows, and a retry with the right address succeeds', async t => {
  const rig = await setUp(t, { subcloud: () => ({ simulated: { bootstrapAddress: '10.0.0.99' } }) })
  await rig.migrate('op-1')
  const batch = await rig.passUntilEnded()
  assert.equal(batch.outcome, 'failed')
  assert.deepEqual(await states(rig), ['rehome-failed,unmanaged,offline'])
  assert.match((await rig.row()).errorDescription, /validate target: fatal: .*10\.0\.0\.1/)
  assert.equal(rig.peer.members.get('r1')?.deployStatus, 'rehome-failed')
  assert.equal((await rig.group())?.['system_leader_id'], 'site-b', 'led, whatever became of the members')
  const before = await rig.row()
  await rig.write(sql => sql.run("update subcloud set rehome_data = replace(rehome_data, '10.0.0.1', '10.0.0.99')"))
  await rig.migrate('op-2')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual(await states(rig), [MANAGED])
  assert.ok((await rig.row()).ownerEpoch > before.ownerEpoch)
})

test('LP 2047018: members that failed and members that are secondary are migrated together', async t => {
  const deploy = ['secondary', 'rehome-failed', 'rehome-prep-failed', 'secondary-failed']
  const rig = await setUp(t, {
    members: 4,
    subcloud: number => ({ row: { deploy_status: deploy[number - 1] ?? '' } }),
  })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual(await states(rig), [MANAGED, MANAGED, MANAGED, 'secondary-failed,unmanaged,offline'])
})

test('no more members act at once than the group allows, and one that only waits to come online holds no slot', async t => {
  const rig = await setUp(t, {
    members: 12,
    width: 3,
    subcloud: () => ({ knobs: { stepMs: 1_000, onlineAfterMs: 120_000 } }),
  })
  await rig.migrate('op-1')
  let most = 0
  let mostWaiting = 0
  for (let look = 0; (await rig.batch()).endedMs === undefined; look++) {
    assert.ok(look < 2_000)
    await rig.pass(500)
    const members = await rig.members()
    const acting = members.filter(({ cursor, endedMs }) => !endedMs && cursor.stage === 'Running')
    most = Math.max(most, acting.length)
    mostWaiting = Math.max(mostWaiting, members.filter(({ cursor }) => cursor.stage === 'Adopting').length)
    const begun = (await rig.rows()).filter(({ deployStatus }) => deployStatus === 'pre-rehome').length
    assert.ok(begun <= 6, `${begun} subclouds are taken from the other site long before their turn`)
  }
  assert.deepEqual([most, mostWaiting > 3], [3, true])
  assert.equal((await rig.batch()).outcome, 'complete')
})

test('whoever queues is ready to run, and gives way when the other site has taken it in by the time a slot is free (H11)', async t => {
  const rig = await setUp(t, { members: 2, width: 1, subcloud: () => ({ knobs: { stepMs: 1_000 } }) })
  await rig.migrate('op-1')
  await rig.pass(5_000)
  const [, second] = await rig.members()
  assert.deepEqual([second?.cursor.stage, second?.isPrepared], ['Queueing', true])
  const there = rig.peer.members.get('r2')
  Object.assign(there ?? {}, { deployStatus: 'rehoming', managementState: 'unmanaged', ownerEpoch: 99 })
  assert.equal((await rig.passUntilEnded()).outcome, 'partly-failed')
  assert.deepEqual(
    rig.subclouds.started.map(({ region }) => region),
    ['r1'],
  )
  assert.equal((await rig.members())[1]?.code, 'TakenByPeer')
})

test('two processes share a batch without ever running more than its slots, or a playbook twice', async t => {
  const rig = await setUp(t, { members: 10, width: 2, subcloud: () => ({ knobs: { stepMs: 300 } }) })
  rig.start()
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  const runs = rig.subclouds.started.map(({ region }) => region)
  assert.deepEqual([runs.length, new Set(runs).size, rig.subclouds.violations], [10, 10, []])
})

test('get_peer_system_list: a site that the monitor has given up is passed over; one that is silent for now is not (H11)', async t => {
  const rig = await setUp(t)
  rig.peer.isUp = false
  await rig.migrate('op-1')
  await rig.pass(60_000)
  assert.deepEqual(rig.subclouds.started, [], 'an error of a call permits nothing')
  const [waiting] = await rig.members()
  assert.match(String(waiting?.waitsFor), /after: no answer/)
  assert.ok((waiting?.sinceMs ?? 0) < rig.clock.now() - 50_000, 'since the first of them')
  await rig.peerIs('unavailable')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.ok((await rig.row()).ownerEpoch > 1_000, 'beyond what it may have counted unseen')
})

test('unmanage_system_peer_subcloud: a site that takes the subcloud in itself is not overruled, and is not waited for without end', async t => {
  const rig = await setUp(t)
  Object.assign(rig.peer.members.get('r1') ?? {}, { deployStatus: 'rehoming', managementState: 'unmanaged' })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.deepEqual([rig.subclouds.started, (await rig.members())[0]?.code], [[], 'Timeout'])
  assert.deepEqual(await states(rig), ['rehome-prep-failed,unmanaged,offline'])
})

test('LP 2049336, scenario 6: a site that comes back during the playbook hands over before the subcloud is managed', async t => {
  const rig = await setUp(t, { subcloud: () => ({ knobs: { stepMs: 5_000 } }) })
  rig.peer.isUp = false
  await rig.peerIs('unavailable')
  await rig.migrate('op-1')
  await rig.pass(30_000)
  rig.peer.isUp = true
  await rig.peerIs('available')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual(rig.peer.calls, ['release r1', 'audit g complete'])
  assert.deepEqual(rig.peer.members.get('r1')?.managementState, 'unmanaged')
})

test('H4: a subcloud that comes online late is not stuck: it is failed, may be tried again, and is managed when it answers', async t => {
  const rig = await setUp(t, { subcloud: () => ({ knobs: { onlineAfterMs: null } }) })
  await rig.migrate('op-1')
  const batch = await rig.passUntilEnded()
  assert.deepEqual([batch.outcome, (await rig.members())[0]?.code], ['failed', 'Timeout'])
  assert.deepEqual(await states(rig), ['rehome-failed,unmanaged,offline'])
  rig.subclouds.turn('r1', { onlineAfterMs: 0 })
  await rig.pass(5 * 60_000)
  assert.deepEqual(await states(rig), [MANAGED])
  assert.deepEqual(rig.subclouds.started.length, 1)
})

test('a playbook that hangs is ended at its time limit, also by whoever comes later', async t => {
  const rig = await setUp(t, { subcloud: () => ({ knobs: { faults: [{ step: 'install CA', kind: 'hang' }] } }) })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.equal((await rig.members())[0]?.code, 'PlaybookInterrupted')
  await rig.migrate('op-2')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual(rig.subclouds.violations, [])
})

test('a failure after the home has changed shows as such, and another attempt takes the subcloud in', async t => {
  const rig = await setUp(t, { subcloud: () => ({ knobs: { faults: [{ step: HOME_SWITCH, kind: 'fail-after' }] } }) })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  await rig.migrate('op-2')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual(await states(rig), [MANAGED])
})

test('a cancel ends what has not begun, interrupts what runs and finishes what has moved', async t => {
  const rig = await setUp(t, {
    members: 8,
    width: 1,
    subcloud: number => ({
      knobs: number === 1 ? { onlineAfterMs: 60_000 } : { faults: [{ step: 'install CA', kind: 'hang' }] },
    }),
  })
  await rig.migrate('op-1')
  await rig.pass(10_000)
  await rig.cancel()
  const batch = await rig.passUntilEnded(5 * 60_000)
  assert.equal(batch.outcome, 'cancelled')
  const members = await rig.members()
  assert.deepEqual(
    members.map(({ outcome, code }) => [outcome, code].join()),
    ['complete,', 'failed,Cancelled', ...Array.from({ length: 6 }, () => 'cancelled,Cancelled')],
  )
  const states = (await rig.rows()).map(({ deployStatus }) => deployStatus)
  assert.deepEqual(states.slice(0, 2), ['complete', 'rehome-failed'])
  assert.ok(states.slice(2).every(state => state === 'secondary' || state === 'rehome-prep-failed'))
  assert.equal(rig.subclouds.started.length, 2)
})

test('a group without another site moves all the same, and its mark does not hold up anything', async t => {
  const rig = await setUp(t, { hasPeer: false })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual([rig.peer.calls, await states(rig)], [[], [MANAGED]])
})

test('a report that nobody answers does not hold up the end for ever', async t => {
  const rig = await setUp(t)
  rig.peer.onAudit = () => Promise.reject(new Error('no answer'))
  await rig.migrate('op-1')
  const batch = await rig.passUntilEnded()
  assert.deepEqual([batch.outcome, batch.isReported], ['complete', false])
})

test('LP 2143133: the playbook is told the release of each subcloud; one that is too new is refused with the reason', async t => {
  const rig = await setUp(t, {
    members: 2,
    subcloud: number => ({ simulated: { release: number === 1 ? '23.09' : '25.09' } }),
  })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'partly-failed')
  assert.match((await rig.row('s2')).errorDescription, /newer than/)
})

test('migration_option: a subcloud that is added with migrate is taken in alone, and its operator manages it', async t => {
  const rig = await setUp(t, { subcloud: () => ({ row: ALONE }) })
  await rig.takeIn('op-1')
  const batch = await rig.passUntilEnded()
  assert.deepEqual([batch.outcome, rig.peer.calls], ['complete', []])
  await rig.pass(60_000)
  assert.deepEqual(await states(rig), ['complete,unmanaged,online'])
  assert.equal((await rig.group())?.['migration_status'], null)
})

test('prep_failed: one that cannot be reached is failed with the reason', async t => {
  const rig = await setUp(t, { subcloud: () => ({ row: ALONE, knobs: { isPoweredOn: false } }) })
  await rig.takeIn('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.deepEqual(await states(rig), ['rehome-failed,unmanaged,offline'])
  assert.match((await rig.row()).errorDescription, /UNREACHABLE/)
})

test('H13: a playbook of another host is waited for, as it may run still, and given up when its time is over', async t => {
  const rig = await RehomeRig.build()
  t.after(() => rig.stop())
  await rig.migrate('op-1')
  const life = rig.start()
  while ((await rig.members())[0]?.run === undefined) await rig.pass(10)
  life.kill()
  rig.subclouds.discard('op-1-1')
  await rig.write(sql => sql.run("update batch_member set run = replace(run, 'simulator', 'another-host')"))
  rig.start()
  await rig.pass(30 * 60_000)
  assert.equal(rig.subclouds.started.length, 1, 'none beside the one that may run')
  assert.equal((await rig.members())[0]?.endedMs, undefined)
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.equal((await rig.members())[0]?.code, 'Timeout')
  assert.deepEqual(await states(rig), ['rehome-failed,unmanaged,offline'])
})

test('when one of two processes dies, the other one takes over what it ran', async t => {
  const rig = await setUp(t, { members: 4, width: 2, subcloud: () => ({ knobs: { stepMs: 2_000 } }) })
  const other = rig.start()
  await rig.migrate('op-1')
  await rig.pass(10_000)
  other.kill()
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual([rig.subclouds.started.length, rig.subclouds.violations], [4, []])
})
