/**
 * A wrong bootstrap address on a group that migrates, played by two whole sites with their workers, APIs and databases:
 * each line of the test plan with the primary site up, down, and returning in the middle.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correctAddress, migrate } from './torture/sites/operator.ts'
import { nameOf, rightAddress, valuesOf } from './torture/sites/set-up.ts'
import { Images, type SiteId, SitesWorld } from './torture/sites/world.ts'

/** The primary site as it is when the migration to the other one runs. */
const PRIMARY = ['up', 'down', 'returning in the middle'] as const
type Primary = (typeof PRIMARY)[number]

const images = new Images()
const ONE_WRONG = { members: 1, wrong: [1], width: 2 }

async function inWorld(play: (world: SitesWorld) => Promise<void>): Promise<void> {
  const world = await SitesWorld.begin(await images.of(ONE_WRONG), { seed: 1 })
  try {
    await play(world)
    assert.deepEqual([...world.watch.violations, ...world.subclouds.violations], [])
  } finally {
    await world.stop()
  }
}

async function goesDown(world: SitesWorld): Promise<void> {
  world.a.stop()
  await world.until('the loss is noticed', async () => (await world.lookAt('b')).peer === 'unavailable')
}

/** Migrates to the other site, where it fails. */
async function failsOn(world: SitesWorld, primary: Primary): Promise<void> {
  if (primary !== 'up') await goesDown(world)
  if (primary === 'returning in the middle') world.clock.after(1_000, () => world.a.start())
  await migrate(world, world.b)
  if (primary !== 'down') await world.untilStill()
}

async function comesBack(world: SitesWorld): Promise<void> {
  world.a.start()
  await world.untilStill()
}

const statuses = async (world: SitesWorld) => {
  const { a, b } = await world.look()
  return [a, b].map(({ members }) => members[0]?.deployStatus)
}
const leaders = async (world: SitesWorld) => {
  const { a, b } = await world.look()
  return [a, b].map(({ group }) => group?.leader)
}
const managers = async (world: SitesWorld): Promise<readonly SiteId[]> => {
  const { a, b } = await world.look()
  return (['a', 'b'] as const).filter(id => ({ a, b })[id].members.some(({ isManaged }) => isManaged))
}
const addressOn = async (world: SitesWorld, id: SiteId) => {
  const [member] = (await world.lookAt(id)).members
  return member?.payload['bootstrap-address']
}
const edit = (world: SitesWorld, id: SiteId, fields: object) =>
  world.call(world.site(id), 'PATCH', `/subclouds/${nameOf(1)}`, fields)

test('steps 1 to 6: the group is in-sync on both sites before the migration', () =>
  inWorld(async world => assert.deepEqual(await world.syncStates(), ['in-sync', 'in-sync'])))

test('line 1: the address can be updated in site B when site A is down; the association of B is out-of-sync, and the audit carries it home', () =>
  inWorld(async world => {
    await failsOn(world, 'down')
    assert.equal((await correctAddress(world, world.b, 1, rightAddress(1))).status, 200)
    assert.equal((await world.syncStates())[1], 'out-of-sync')
    await migrate(world, world.b)
    await comesBack(world)
    assert.deepEqual(await statuses(world), ['secondary', 'complete'])
    assert.equal(await addressOn(world, 'a'), rightAddress(1))
    assert.deepEqual(await world.syncStates(), ['in-sync', 'in-sync'])
    assert.deepEqual([await managers(world), (await world.look()).homes], [['b'], ['b']])
  }))

test('line 1, returning before the retry: the correction is not lost (H14)', () =>
  inWorld(async world => {
    await failsOn(world, 'down')
    await correctAddress(world, world.b, 1, rightAddress(1))
    await comesBack(world)
    assert.equal(await addressOn(world, 'a'), rightAddress(1))
    await migrate(world, world.a)
    assert.deepEqual([await managers(world), (await world.look()).homes], [['a'], ['a']])
  }))

test('line 2: bootstrap values and address are the only fields that can be updated in site B when site A is down', () =>
  inWorld(async world => {
    await failsOn(world, 'down')
    for (const fields of [
      { description: 'x' },
      { location: 'x' },
      { name: 'other' },
      { group_id: '1' },
      { 'management-state': 'managed' },
      { bootstrap_address: rightAddress(1), description: 'x' },
    ]) {
      const answer = await edit(world, 'b', fields)
      assert.equal(answer.status, 400, `${JSON.stringify(fields)}: ${answer.text}`)
    }
    assert.equal((await world.syncStates())[1], 'in-sync')
    assert.equal((await edit(world, 'b', { bootstrap_address: rightAddress(1) })).status, 200)
    const form = new FormData()
    const values = JSON.stringify({ ...valuesOf(1), systemcontroller_gateway_address: '10.8.2.101' })
    form.set('bootstrap_values', new File([values], 'values.yml'))
    const request = new Request(`http://site-b/v1.0/subclouds/${nameOf(1)}`, { method: 'PATCH', body: form })
    const answer = await world.b.receive({
      method: 'PATCH',
      url: request.url,
      headers: {
        'x-auth-token': world.b.token(),
        accept: 'application/json',
        'content-type': request.headers.get('content-type') ?? '',
      },
      body: new Uint8Array(await request.arrayBuffer()),
    })
    assert.equal(answer.status, 200, Buffer.from(answer.body).toString())
  }))

for (const primary of ['up', 'returning in the middle'] as const)
  test(`line 3: the update of the address is rejected in site B when site A is ${primary}`, () =>
    inWorld(async world => {
      await failsOn(world, primary)
      assert.equal((await correctAddress(world, world.b, 1, rightAddress(1))).status, 400)
      assert.notEqual(await addressOn(world, 'b'), rightAddress(1))
    }))

for (const primary of PRIMARY)
  test(`line 4: the leader is the target on both sites although every member failed, with site A ${primary}`, () =>
    inWorld(async world => {
      await failsOn(world, primary)
      await comesBack(world)
      assert.deepEqual(await leaders(world), ['site-b', 'site-b'])
      const { a, b } = await world.look()
      assert.deepEqual([a.group?.status, b.group?.status], [undefined, undefined])
    }))

for (const primary of PRIMARY)
  test(`line 5: the subcloud is rehome-failed on both sites after the migration, with site A ${primary}`, () =>
    inWorld(async world => {
      await failsOn(world, primary)
      await comesBack(world)
      assert.deepEqual(await statuses(world), ['rehome-failed', 'rehome-failed'])
      assert.deepEqual(await managers(world), [])
    }))

for (const primary of PRIMARY)
  test(`line 6: site A takes a failed group back, is corrected there, and the retry succeeds, with site A ${primary}`, () =>
    inWorld(async world => {
      await failsOn(world, primary)
      await comesBack(world)
      assert.equal((await correctAddress(world, world.a, 1, rightAddress(1))).status, 400)
      await migrate(world, world.a)
      await world.untilStill()
      assert.deepEqual(
        [await statuses(world), await leaders(world)],
        [
          ['rehome-failed', 'rehome-failed'],
          ['site-a', 'site-a'],
        ],
      )
      assert.equal((await correctAddress(world, world.a, 1, rightAddress(1))).status, 200)
      await migrate(world, world.a)
      await world.untilStill()
      assert.deepEqual(await statuses(world), ['complete', 'secondary'])
      assert.deepEqual([await managers(world), (await world.look()).homes], [['a'], ['a']])
      // What was corrected is carried over by the next sync, as everything is that the leading site edits.
      await world.must(world.a, 'PATCH', '/peer-group-associations/1/sync')
      await world.untilStill()
      assert.equal(await addressOn(world, 'b'), rightAddress(1))
      assert.deepEqual(await world.syncStates(), ['in-sync', 'in-sync'])
    }))
