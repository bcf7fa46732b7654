import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '@godwit/store'
import { type Api, SITE_UUID, startApi } from './api.ts'
import {
  base64,
  CANARIES,
  everything,
  givenGroup,
  givenMember,
  givenSubcloud,
  HEALTHY,
  NON_PRIMARY,
  type Parts,
  rowsOf,
  SECONDARY,
} from './fixture.ts'
import { ask } from './subcloud-form.ts'

const fields = (given: Readonly<Record<string, string>>): Parts => ({ fields: given })
const patch = (api: Api, parts: Parts, user?: string) => ask(api, 'PATCH', '/s1', parts, user)
const unmanaged = { management_state: 'unmanaged' }

const DELETE: readonly (readonly [string, Row, string, number])[] = [
  ['managed', HEALTHY, 'admin', 400],
  ['managed, by the peer', HEALTHY, 'peer', 422],
  ...['pre-rehome', 'rehoming', 'rehome-pending'].map(
    state => [`that is ${state}`, { ...SECONDARY, deploy_status: state }, 'admin', 400] as const,
  ),
  ['in an SPG', { ...SECONDARY, peer_group_id: 1 }, 'admin', 400],
  ['online', { ...unmanaged }, 'admin', 422],
  ['complete, by the peer', { ...SECONDARY, deploy_status: 'complete' }, 'peer', 422],
  ['online copy, by the peer', { ...SECONDARY, availability_status: 'online' }, 'peer', 422],
]
for (const [what, row, user, code] of DELETE)
  test(`subcloud delete, ${what}: ${code}, nothing written`, async t => {
    const api = await startApi(t)
    await givenGroup(api)
    await givenSubcloud(api, 1, row)
    const before = await everything(api)
    assert.equal((await ask(api, 'DELETE', '/s1', undefined, user)).status, code)
    assert.deepEqual(await everything(api), before)
  })

test('subcloud delete: gone with its endpoints and alarms; the peer takes its copy away from the group', async t => {
  const api = await startApi(t)
  await givenMember(api, { ...NON_PRIMARY, subcloud: SECONDARY })
  await givenSubcloud(api, 2, SECONDARY)
  await api.database.transaction(async sql => {
    await sql.run(
      `insert into subcloud_status (subcloud_id, endpoint_type, sync_status) values (2, 'platform', 'unknown')`,
    )
    await sql.run(
      `insert into alarm (version, alarm_id, entity, severity, reason, repair, raised_at)
       values (1, '280.001', 'subcloud=s2', 'critical', 'x', 'x', 'x')`,
    )
  })
  assert.deepEqual((await ask(api, 'DELETE', '/s2')).text, 'null')
  assert.deepEqual((await ask(api, 'DELETE', '/s1', undefined, 'peer')).text, 'null')
  assert.deepEqual(
    [await rowsOf(api, 'subcloud'), await rowsOf(api, 'alarm'), await rowsOf(api, 'tombstone')],
    [[], [], []],
  )
  assert.equal((await ask(api, 'DELETE', '/s2')).status, 404)
})

test('subclouds are listed with the state of their endpoints, and shown in detail', async t => {
  const api = await startApi(t)
  await givenSubcloud(api)
  await givenSubcloud(api, 2)
  await api.database.transaction(async sql => {
    const insert = 'insert into subcloud_status (subcloud_id, endpoint_type, sync_status) values (?, ?, ?)'
    await sql.run(insert, [1, 'platform', 'in-sync'])
    await sql.run(insert, [2, 'platform', 'in-sync'])
    await sql.run(insert, [2, 'identity', 'out-of-sync'])
  })
  const { body } = await ask(api, 'GET', '/')
  const list = body['subclouds'] as readonly { name: string; sync_status: string }[]
  assert.deepEqual(
    list.map(each => [each.name, each.sync_status]),
    [
      ['s1', 'in-sync'],
      ['s2', 'out-of-sync'],
    ],
  )
  const detail = (await ask(api, 'GET', '/s1/detail')).body
  assert.deepEqual([detail['oam_floating_ip'], detail['region_name']], ['10.2.1.5', '1'.padStart(32, '0')])
})

const INSTALL = JSON.stringify({ bmc_username: 'root', bmc_password: base64(CANARIES.bmc) })
const hasSecret = (text: string) =>
  Object.values(CANARIES).some(canary => text.includes(canary) || text.includes(base64(canary)))

test('secrets of a subcloud are shown to no peer that does not share its group (H19)', async t => {
  const api = await startApi(t)
  await givenMember(api, { peer: { peer_uuid: SITE_UUID }, subcloud: { data_install: INSTALL } })
  await givenSubcloud(api, 2)
  for (const path of ['/', '/s1', '/s2/detail', '/../subcloud-peer-groups/g/subclouds'])
    assert.equal(hasSecret((await ask(api, 'GET', path, undefined, 'peer')).text), false, path)
})

test('secrets are shown to the peer, which needs them, and to nobody else (H19)', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: { data_install: INSTALL } })
  const paths = ['/', '/s1', '/s1/detail', '/../subcloud-peer-groups/g/subclouds', '/../subcloud-groups/1/subclouds']
  for (const path of paths) {
    const mine = await ask(api, 'GET', path)
    assert.equal(hasSecret(mine.text), false, path)
    assert.match(mine.text, /registry\.example/)
    const theirs = await ask(api, 'GET', path, undefined, 'peer')
    for (const secret of [base64(CANARIES.admin), base64(CANARIES.bmc), CANARIES.registry])
      assert.ok(theirs.text.includes(secret), `${path} ${secret}`)
  }
  const edited = await patch(api, fields({ description: 'x' }))
  assert.equal(edited.text.includes(CANARIES.registry), false)
})
