/** A process that comes back after it wrote down that a playbook runs: only its executor knows whether it was started. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RehomeRig } from './rehome-rig.ts'

const MINUTE_MS = 60_000
/** Of one subcloud that is taken in, before its playbook runs. */
const MOST_EVENTS = 100

/** Dead right after the commit of the run; the next process starts a second later. */
async function diedBeforeLaunch(t: TestContext): Promise<RehomeRig> {
  for (let event = 2; event < MOST_EVENTS; event++) {
    const rig = await RehomeRig.build()
    t.after(() => rig.stop())
    rig.crashAt(event, 'after')
    rig.start()
    await rig.migrate('op-1')
    while (rig.crashes === 0) await rig.pass(10)
    const [member] = await rig.members()
    if (member?.run?.kind === 'under-way' && rig.subclouds.started.length === 0) return rig
    rig.stop()
  }
  throw new Error('nobody died between the commit of a run and its launch')
}

const memberThere = (rig: RehomeRig) => {
  const member = rig.peer.members.get('r1')
  assert.ok(member)
  return member
}

test('a playbook that was not started yet is not started any more when the other site manages the subcloud since (H11)', async t => {
  const rig = await diedBeforeLaunch(t)
  const { ownerEpoch } = await rig.row()
  const taken = { deployStatus: 'complete', managementState: 'managed', ownerEpoch: ownerEpoch + 1_000 } as const
  Object.assign(memberThere(rig), taken)
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.deepEqual([rig.subclouds.started, (await rig.members())[0]?.code], [[], 'TakenByPeer'])
  assert.deepEqual(memberThere(rig), { name: 's1', ...taken })
  const { deployStatus, managementState } = await rig.row()
  assert.deepEqual([deployStatus, managementState], ['rehome-failed', 'unmanaged'])
})

test('why a run is given up is not forgotten when the other site falls silent before it is written', async t => {
  const rig = await diedBeforeLaunch(t)
  const { ownerEpoch } = await rig.row()
  Object.assign(memberThere(rig), { managementState: 'managed', ownerEpoch: ownerEpoch + 1_000 })
  const { subclouds, peer } = rig
  const discard = subclouds.discard.bind(subclouds)
  subclouds.discard = runId => {
    peer.isUp = false
    discard(runId)
  }
  await rig.pass(MINUTE_MS)
  assert.equal(peer.isUp, false)
  await rig.peerIs('unavailable')
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.deepEqual([rig.subclouds.started, (await rig.members())[0]?.code], [[], 'TakenByPeer'])
})

test('a playbook that was not started yet waits for an answer of the other site, and runs when there is one', async t => {
  const rig = await diedBeforeLaunch(t)
  rig.peer.isUp = false
  await rig.pass(5 * MINUTE_MS)
  const [waiting] = await rig.members()
  assert.deepEqual([rig.subclouds.started, waiting?.waitsFor], [[], 'an answer about s1'])
  rig.peer.isUp = true
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.equal(rig.subclouds.started.length, 1)
})

test('a site that has the subcloud in its books still is asked to stand down before the playbook is started', async t => {
  const rig = await diedBeforeLaunch(t)
  Object.assign(memberThere(rig), { deployStatus: 'complete', managementState: 'managed' })
  const site = rig.peer.site.bind(rig.peer)
  const startedBefore: number[] = []
  rig.peer.site = () => ({
    ...site(),
    standDown: (region, ownerEpoch) => {
      startedBefore.push(rig.subclouds.started.length)
      return site().standDown(region, ownerEpoch)
    },
  })
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual([startedBefore, rig.subclouds.started.length], [[0], 1])
})

test('a playbook that runs goes on by itself while the other site does not answer whoever comes back', async t => {
  const rig = await RehomeRig.build({ subcloud: () => ({ knobs: { stepMs: 5_000 } }) })
  t.after(() => rig.stop())
  const life = rig.start()
  await rig.migrate('op-1')
  while (rig.subclouds.started.length === 0) await rig.pass(10)
  life.kill()
  rig.peer.isUp = false
  rig.start()
  await rig.pass(10 * MINUTE_MS)
  assert.equal((await rig.members())[0]?.endedMs, undefined)
  rig.peer.isUp = true
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual([rig.subclouds.started.length, rig.subclouds.violations], [1, []])
})
