import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SecondView } from '../src/failover/decide.ts'
import { type SecondPath, urlPath, witnessPath } from '../src/failover/second-path.ts'
import { FailoverWorker } from '../src/failover/worker.ts'
import { base64 } from './fixture.ts'
import { type LinkedSites, linkedSites, UUIDS } from './linked-sites.ts'

const MINUTE_MS = 60_000
const LOOK_MS = 15_000

interface Scene extends LinkedSites {
  readonly failover: FailoverWorker
  readonly view: { is: SecondView }
}

/** Site A is lost, and B has a policy. */
async function lostSite(policy: string, options: { members?: number; most?: number; password?: string } = {}) {
  const sites = await linkedSites({ members: options.members ?? 2 })
  await sites.b.call('PATCH', '/system-peers/1', { heartbeat_failure_policy: policy })
  const view: { is: SecondView } = { is: 'lost' }
  const failover = new FailoverWorker({
    site: sites.b.site,
    secondPaths: () => [async () => view.is],
    holdDownMs: 5 * MINUTE_MS,
    most: { groups: 1, subclouds: options.most ?? 10 },
    ...(options.password !== '' && { sysadminPassword: options.password ?? 'pw' }),
  })
  sites.a.isDown = true
  await sites.beats(4)
  return Object.assign(sites, { failover, view }) as Scene
}

const stage = async ({ b }: Scene) => (await b.row('failover'))['stage']
const batches = async ({ b }: Scene) => (await b.rows('batch')).length
/** As often as the worker looks. */
async function later({ clock, failover }: Scene, byMs: number, lookMs = LOOK_MS): Promise<void> {
  for (let leftMs = byMs; leftMs > 0; leftMs -= lookMs) {
    clock.advance(Math.min(lookMs, leftMs))
    await failover.perform(1)
  }
}

test('the policy alarm raises the alarm, and nothing else happens', async () => {
  const scene = await lostSite('alarm')
  await scene.failover.perform(1)
  await later(scene, 60 * MINUTE_MS)
  assert.deepEqual([await stage(scene), await batches(scene)], [undefined, 0])
  assert.deepEqual(await scene.b.alarms(), [`280.004 critical peer=${UUIDS.a}`])
})

test('rehome: a confirmed loss is held down, then one batch begins, and no second one in the same outage', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  assert.deepEqual([await stage(scene), await batches(scene)], ['waiting', 0])
  await later(scene, 5 * MINUTE_MS - 1)
  assert.equal(await batches(scene), 0)
  await later(scene, 1)
  assert.deepEqual([await stage(scene), await batches(scene)], ['started', 1])
  const [batch] = await scene.b.rows('batch')
  assert.deepEqual([batch?.['requested_by'], batch?.['peer_group_name']], ['failover', 'g'])
  assert.equal((await scene.b.rows('batch_member')).length, 2)
  await scene.b.write(sql => sql.run('update batch set ended_ms = 1'))
  await later(scene, 60 * MINUTE_MS)
  assert.equal(await batches(scene), 1)
})

test('rehome: time in which nobody looked at the second path does not count, nor does a clock that is set forward', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  await later(scene, 4 * MINUTE_MS)
  await later(scene, 60 * MINUTE_MS, 60 * MINUTE_MS)
  assert.deepEqual([await stage(scene), await batches(scene)], ['waiting', 0])
  await later(scene, 4 * MINUTE_MS)
  await later(scene, 3 * LOOK_MS + 1, 3 * LOOK_MS + 1)
  await later(scene, 5 * MINUTE_MS - 1)
  assert.deepEqual([await stage(scene), await batches(scene)], ['waiting', 0])
  await later(scene, 1)
  assert.deepEqual([await stage(scene), await batches(scene)], ['started', 1])
})

test('rehome: looks that are late, but not missing, are looks', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  await later(scene, 5 * MINUTE_MS, 3 * LOOK_MS)
  assert.deepEqual([await stage(scene), await batches(scene)], ['started', 1])
})

test('rehome: a process that stood still after it had looked does not take what it saw for a hold-down', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  await later(scene, 4 * MINUTE_MS)
  const stalled = new FailoverWorker({
    site: scene.b.site,
    secondPaths: () => [
      async () => {
        scene.clock.advance(60 * MINUTE_MS)
        return 'lost'
      },
    ],
    holdDownMs: 5 * MINUTE_MS,
    sysadminPassword: 'pw',
  })
  await stalled.perform(1)
  assert.deepEqual([await stage(scene), await batches(scene)], ['waiting', 0])
})

test('rehome: a site that is alive on its second path is held back from, and a loss counts from its last sign of life', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  scene.view.is = 'alive'
  await later(scene, 4 * MINUTE_MS)
  assert.equal(await stage(scene), 'held-back')
  scene.view.is = 'lost'
  await later(scene, 2 * MINUTE_MS)
  assert.deepEqual([await stage(scene), await batches(scene)], ['waiting', 0])
  await later(scene, 5 * MINUTE_MS)
  assert.equal(await batches(scene), 1)
})

test('rehome: what is more than may move alone, or has no password, or is not confirmed, is proposed', async () => {
  for (const [what, options, view] of [
    ['blast radius', { members: 3, most: 2 }, 'lost'],
    ['password', { password: '' }, 'lost'],
    ['confirmation', {}, 'unknown'],
  ] as const) {
    const scene = await lostSite('rehome', options)
    scene.view.is = view
    await scene.failover.perform(1)
    await later(scene, 5 * MINUTE_MS)
    assert.deepEqual([await stage(scene), await batches(scene)], ['proposed', 0], what)
  }
})

test('rehome: a clock that is set back begins the hold-down anew, and makes it no longer than it is', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  await later(scene, 5 * MINUTE_MS - 2)
  await scene.b.write(sql => sql.run('update failover set looked_ms = looked_ms + 60000'))
  await later(scene, 1)
  await later(scene, 5 * MINUTE_MS - 1)
  assert.equal(await batches(scene), 0)
  const ahead = 'update failover set lost_since_ms = lost_since_ms + 36000000, looked_ms = looked_ms + 36000000'
  await scene.b.write(sql => sql.run(ahead))
  await later(scene, 1)
  assert.equal(await batches(scene), 0)
  await later(scene, 5 * MINUTE_MS)
  assert.equal(await batches(scene), 1)
})

test('propose: a person reads what would move, and confirms it with the password of the subclouds', async () => {
  const scene = await lostSite('propose')
  await scene.failover.perform(1)
  const listed = await scene.b.call('GET', '/failovers')
  const [shown] = listed.body['failovers'] as Record<string, unknown>[]
  assert.deepEqual([shown?.['stage'], shown?.['peer-uuid']], ['proposed', UUIDS.a])
  assert.match(String(shown?.['message']), /migrate g \(2 subclouds\); a second path confirms/)
  await scene.beats(1)
  assert.match(String((await scene.b.row('alarm'))['repair']), /Proposal: migrate g \(2 subclouds\)/)
  const confirm = (body: unknown) => scene.b.call('PATCH', `/failovers/${UUIDS.a}/confirm`, body)
  assert.equal((await confirm({})).status, 400)
  assert.equal(await batches(scene), 0)
  const begun = await confirm({ sysadmin_password: base64('pw') })
  assert.deepEqual(
    [begun.status, begun.body['stage'], (begun.body['operations'] as string[]).length],
    [200, 'started', 1],
  )
  assert.equal((await confirm({ sysadmin_password: base64('pw') })).status, 409)
  assert.equal(await batches(scene), 1)
  await later(scene, 60 * MINUTE_MS)
  assert.equal(await batches(scene), 1)
})

test('a peer that is back ends the case; nothing is taken back, by either site', async () => {
  const scene = await lostSite('rehome')
  await scene.failover.perform(1)
  await later(scene, 5 * MINUTE_MS)
  const returning = new FailoverWorker({
    site: scene.a.site,
    secondPaths: () => [async () => 'lost'],
    holdDownMs: 0,
    sysadminPassword: 'pw',
  })
  await scene.a.call('PATCH', '/system-peers/1', { heartbeat_failure_policy: 'rehome' })
  await scene.b.write(async sql => {
    await sql.run('update batch set ended_ms = 1')
    await sql.run(
      "update subcloud set deploy_status = 'complete', management_state = 'managed', owner_epoch = 3, version = version + 1",
    )
    await sql.run(
      `update subcloud_peer_group set system_leader_id = ?, system_leader_name = 'site-b', migration_status = 'complete',
       version = version + 1`,
      [UUIDS.b],
    )
  })
  scene.a.isDown = false
  await returning.perform(1)
  await scene.beats(2)
  await returning.perform(1)
  await scene.failover.perform(1)
  assert.deepEqual([await stage(scene), await batches(scene), (await scene.a.rows('batch')).length], [undefined, 1, 0])
  assert.deepEqual(await scene.a.members(), ['s1 secondary unmanaged', 's2 secondary unmanaged'])
  assert.deepEqual([await scene.a.leader(), await scene.b.leader()], [UUIDS.b, UUIDS.b])
})

test('the monitor wakes the worker as long as the peer is lost, and when it is back', async () => {
  const scene = await lostSite('rehome')
  const open = () =>
    scene.b.write(
      async sql => (await sql.all("select 1 as one from work where queue = 'failover' and is_open = 1")).length,
    )
  assert.equal(await open(), 1)
  await scene.b.write(sql => sql.run("update work set is_open = 0 where queue = 'failover'"))
  await scene.beats(1)
  assert.equal(await open(), 1)
  await scene.b.write(sql => sql.run("update work set is_open = 0 where queue = 'failover'"))
  scene.a.isDown = false
  await scene.beats(1)
  assert.equal(await open(), 1)
})

test('second paths: any answer is a sign of life, silence is none; witnesses that nobody could ask say nothing', async () => {
  const { clock } = await linkedSites({ members: 1 })
  const answers = (status: number): SecondPath =>
    urlPath({
      url: 'http://elsewhere/',
      clock,
      exchange: async () => ({ status, headers: {}, body: new Uint8Array() }),
    })
  assert.deepEqual([await answers(200)(), await answers(503)()], ['alive', 'alive'])
  assert.equal(
    await urlPath({ url: 'http://x/', clock, exchange: () => Promise.reject(new Error('refused')) })(),
    'lost',
  )
  const silent = urlPath({ url: 'http://x/', clock, exchange: () => new Promise(() => undefined) })()
  clock.advance(10_000)
  assert.equal(await silent, 'lost')
  const witness = (asked: number, hearing: number) => witnessPath({ ask: async () => ({ asked, hearing }) })()
  assert.deepEqual([await witness(3, 1), await witness(3, 0), await witness(0, 0)], ['alive', 'lost', 'unknown'])
  assert.equal(await witnessPath({ ask: () => Promise.reject(new Error('no route')) })(), 'unknown')
})
