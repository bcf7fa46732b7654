/** What happens between the release of a subcloud and its playbook, when it does not go as it mostly does. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Terminal } from '@godwit/core'
import { sleep } from '@godwit/ports'
import { HOME_SWITCH } from '@godwit/simulation'
import { RehomeRig, type RigOptions } from './rehome-rig.ts'

async function setUp(t: TestContext, options: RigOptions): Promise<RehomeRig> {
  const rig = await RehomeRig.build(options)
  t.after(() => rig.stop())
  rig.start()
  return rig
}

const slow = () => ({ knobs: { stepMs: 1_000 } })
const started = (rig: RehomeRig) => rig.subclouds.started.map(({ region }) => region)
const noCredentials = new Terminal('CredentialsMissing', 'no credentials')

async function refuse(): Promise<void> {
  throw noCredentials
}

test('what cannot be prepared is failed without a playbook, and takes no slot from the others', async t => {
  const prepare = (name: string) => (name === 's1' ? refuse() : Promise.resolve())
  const rig = await setUp(t, { members: 3, width: 1, prepare })
  await rig.migrate('op-1')
  assert.equal((await rig.passUntilEnded()).outcome, 'partly-failed')
  const [row] = await rig.rows()
  const [member] = await rig.members()
  assert.deepEqual(
    [row?.deployStatus, member?.code, started(rig)],
    ['rehome-prep-failed', 'CredentialsMissing', ['r2', 'r3']],
  )
})

test('what could not be prepared at once is tried again', async t => {
  let attempts = 0
  const prepare = async () => {
    attempts++
    if (attempts <= 3) throw new Error('not now')
  }
  const rig = await setUp(t, { prepare })
  await rig.migrate('op-1')
  assert.deepEqual([(await rig.passUntilEnded()).outcome, attempts], ['complete', 4])
})

test('an answer that has become old while the playbook was prepared is no proof any more (H11)', async t => {
  const rig = await setUp(t, { prepare: (_, clock) => sleep(clock, 600) })
  await rig.migrate('op-1')
  await rig.pass(300, () => rig.peer.calls.includes('release r1'))
  assert.deepEqual(rig.peer.calls, ['release r1'])
  await rig.pass(300)
  Object.assign(rig.peer.members.get('r1') ?? {}, { deployStatus: 'rehoming', ownerEpoch: 99 })
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.deepEqual([started(rig), (await rig.members())[0]?.code], [[], 'TakenByPeer'])
})

test('who queued for a slot before it was prepared, as an older version had it, is prepared before it runs', async t => {
  const isReady = { s1: true, s2: true } as Record<string, boolean>
  const rig = await setUp(t, {
    members: 2,
    width: 1,
    subcloud: slow,
    prepare: name => (isReady[name] ? Promise.resolve() : refuse()),
  })
  await rig.migrate('op-1')
  await rig.pass(5_000)
  await rig.write(sql => sql.run("update batch_member set is_prepared = 0, version = version + 1 where name = 's2'"))
  isReady['s2'] = false
  assert.equal((await rig.passUntilEnded()).outcome, 'partly-failed')
  assert.deepEqual([(await rig.row('s2')).deployStatus, started(rig)], ['rehome-prep-failed', ['r1']])
})

test('a slot is taken although the other site does not answer in time; no playbook runs before it does', async t => {
  const rig = await setUp(t, { members: 2, width: 1, subcloud: slow })
  await rig.migrate('op-1')
  await rig.pass(5_000)
  const answer = Promise.withResolvers<void>()
  rig.peer.onView = () => answer.promise
  await rig.pass(20_000)
  assert.deepEqual([(await rig.members())[1]?.cursor.stage, started(rig)], ['Running', ['r1']])
  answer.resolve()
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
  assert.deepEqual(started(rig), ['r1', 'r2'])
})

/** What it takes to say a word to the other site is not there for a while. @returns ends it */
function loseKey(rig: RehomeRig): () => void {
  const site = rig.peer.site.bind(rig.peer)
  rig.peer.site = () => {
    throw new Terminal('SecretsKey', 'manager_password was sealed with another key')
  }
  return () => {
    rig.peer.site = site
  }
}

test('a word to the other site that cannot be said is tried again', async t => {
  const rig = await setUp(t, {})
  const giveBack = loseKey(rig)
  await rig.migrate('op-1')
  await rig.pass(60_000)
  assert.match((await rig.members())[0]?.waitsFor ?? '', /sealed with another key/)
  giveBack()
  assert.equal((await rig.passUntilEnded()).outcome, 'complete')
})

test('why an attempt failed is kept, although that cannot be said to the other site', async t => {
  const faults = [{ step: HOME_SWITCH, kind: 'fail' }] as const
  const rig = await setUp(t, { subcloud: () => ({ knobs: { stepMs: 1_000, faults } }) })
  await rig.migrate('op-1')
  await rig.pass(2_000)
  const giveBack = loseKey(rig)
  await rig.pass(60_000)
  const [member] = await rig.members()
  assert.deepEqual(
    [member?.cursor.direction, member?.cursor.stage, member?.code],
    ['Undo', 'Releasing', 'PlaybookFailed'],
  )
  assert.match(member?.waitsFor ?? '', /sealed with another key/)
  giveBack()
  assert.equal((await rig.passUntilEnded()).outcome, 'failed')
  assert.equal(rig.peer.members.get('r1')?.deployStatus, 'rehome-failed')
})
