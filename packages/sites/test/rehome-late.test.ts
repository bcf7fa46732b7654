/** A subcloud that answers after its batch has given it up, and what the other site does meanwhile. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { CrashTime } from '@godwit/simulation'
import { RehomeRig } from './rehome-rig.ts'

const MINUTE_MS = 60_000
const FAILED = 'rehome-failed,unmanaged'
const MANAGED = 'complete,managed'

async function state(rig: RehomeRig): Promise<string> {
  const { deployStatus, managementState } = await rig.row()
  return [deployStatus, managementState].join()
}

/** Its playbook has ended well, and its batch has been failed for a while. */
async function givenUp(t: TestContext) {
  const rig = await RehomeRig.build({ subcloud: () => ({ knobs: { onlineAfterMs: null } }) })
  t.after(() => rig.stop())
  const life = rig.start()
  await rig.migrate('op-1')
  while ((await rig.members())[0]?.cursor.stage !== 'Adopting') await rig.pass(100)
  // Quarter of an hour later, without playing it.
  await rig.write(sql => sql.run('update batch_member set deadline_ms = ?', [rig.clock.now()]))
  await rig.passUntilEnded()
  await rig.pass(MINUTE_MS)
  assert.equal(await state(rig), FAILED)
  return { rig, life }
}

const answer = (rig: RehomeRig) => rig.subclouds.turn('r1', { onlineAfterMs: 0 })

/** Lets time go by until it is managed; throws after half an hour. */
async function passUntilManaged(rig: RehomeRig): Promise<void> {
  const endMs = rig.clock.now() + 30 * MINUTE_MS
  while ((await state(rig)) !== MANAGED) {
    assert.ok(rig.clock.now() < endMs, await state(rig))
    await rig.pass(500)
  }
}

/** Called before each look at the other site. */
function beforeLooks(rig: RehomeRig, act: () => Promise<void>): void {
  const site = rig.peer.site.bind(rig.peer)
  rig.peer.site = () => ({
    ...site(),
    view: async region => {
      await act()
      return await site().view(region)
    },
  })
}

test('a site that is about to manage a late subcloud says so before it looks at the other one (H11)', async t => {
  const { rig } = await givenUp(t)
  const looks: string[] = []
  beforeLooks(rig, async () => void looks.push(await state(rig)))
  answer(rig)
  await rig.pass(5 * MINUTE_MS)
  assert.deepEqual([looks, await state(rig)], [['rehoming,unmanaged'], MANAGED])
})

test('a claim of the other site that came first is seen, and the late subcloud stays failed here', async t => {
  const { rig } = await givenUp(t)
  const { ownerEpoch } = await rig.row()
  let looks = 0
  beforeLooks(rig, async () => {
    looks++
    Object.assign(rig.peer.members.get('r1') ?? {}, { deployStatus: 'pre-rehome', ownerEpoch: ownerEpoch + 1 })
  })
  answer(rig)
  await rig.pass(5 * MINUTE_MS)
  assert.ok(looks > 1, 'it is asked again')
  assert.equal(await state(rig), FAILED)
})

test('a late subcloud is failed again when the other site does not answer, and managed when it does', async t => {
  const { rig } = await givenUp(t)
  rig.peer.isUp = false
  let looks = 0
  beforeLooks(rig, async () => void looks++)
  answer(rig)
  await rig.pass(5 * MINUTE_MS)
  assert.ok(looks > 1)
  assert.equal(await state(rig), FAILED)
  rig.peer.isUp = true
  await passUntilManaged(rig)
})

test('a site that has the late subcloud in its books still is asked to stand down first', async t => {
  const { rig } = await givenUp(t)
  Object.assign(rig.peer.members.get('r1') ?? {}, { deployStatus: 'complete', managementState: 'managed' })
  const { length } = rig.peer.calls
  answer(rig)
  await rig.pass(5 * MINUTE_MS)
  assert.deepEqual([rig.peer.calls.slice(length), await state(rig)], [['release r1'], MANAGED])
})

test('what was written by somebody else since the look is not overwritten', async t => {
  const { rig } = await givenUp(t)
  let looks = 0
  beforeLooks(rig, async () => {
    if (looks++ > 0) return
    await rig.write(sql =>
      sql.run("update subcloud set deploy_status = 'rehome-pending', version = version + 1 where name = 's1'"),
    )
  })
  answer(rig)
  await rig.pass(5 * MINUTE_MS)
  assert.deepEqual([looks, await state(rig)], [1, 'rehome-pending,unmanaged'])
})

for (const isOnline of [true, false])
  test(`a site that died between its look and its decision has a way out when the subcloud is ${isOnline ? 'online' : 'offline'}`, async t => {
    const { rig, life } = await givenUp(t)
    beforeLooks(rig, async () => life.kill())
    answer(rig)
    await rig.pass(5 * MINUTE_MS)
    assert.equal(await state(rig), 'rehoming,unmanaged')
    if (!isOnline) rig.subclouds.turn('r1', { isPoweredOn: false })
    rig.start()
    await rig.pass(5 * MINUTE_MS)
    assert.equal(await state(rig), isOnline ? MANAGED : FAILED)
    rig.subclouds.turn('r1', { isPoweredOn: true })
    await rig.pass(5 * MINUTE_MS)
    assert.equal(await state(rig), MANAGED)
  })

for (const when of ['before', 'after'] as const satisfies readonly CrashTime[])
  test(`a late subcloud is managed in the end although the process dies just ${when} any of its events`, async t => {
    const { rig: reference } = await givenUp(t)
    const before = reference.events
    answer(reference)
    await passUntilManaged(reference)
    const events = reference.events - before
    assert.ok(events > 3)
    for (let event = 1; event <= events; event++) {
      const { rig } = await givenUp(t)
      rig.crashAt(rig.events + event, when)
      answer(rig)
      await passUntilManaged(rig)
      assert.equal(rig.crashes, 1, `nobody died at event ${event} of ${events}`)
      rig.stop()
    }
  })
