/** What the other site may do to subclouds of this one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '@godwit/store'
import { type Api, PEER_UUID, SITE_UUID, startApi } from './api.ts'
import {
  everything,
  givenMember,
  givenSubcloud,
  NON_PRIMARY,
  type Parts,
  rowOf,
  SECONDARY,
  valuesOf,
} from './fixture.ts'
import { ask } from './subcloud-form.ts'

const fields = (given: Readonly<Record<string, string>>): Parts => ({ fields: given })
const payload = (row: Row) => JSON.parse(String(row['rehome_data'])).saved_payload as Record<string, unknown>
const version = (row: Row) => JSON.parse(String(row['values_version']))
const status = async (api: Api) => (await rowOf(api, 'peer_group_association'))['sync_status']

const release = (epoch: number) =>
  fields({ 'management-state': 'unmanaged', migrate: 'true', owner_epoch: String(epoch) })
const byRegion = (api: Api, parts: Parts, user = 'peer') => ask(api, 'PATCH', `/${'1'.padStart(32, '0')}`, parts, user)

test('the peer takes a subcloud over with a higher epoch: unmanaged and rehome-pending; again changes nothing', async t => {
  const api = await startApi(t)
  await givenMember(api, { subcloud: { owner_epoch: 4 } })
  assert.equal((await byRegion(api, release(4))).status, 400)
  assert.equal((await rowOf(api, 'subcloud'))['management_state'], 'managed')
  const { body } = await byRegion(api, release(5))
  assert.deepEqual(
    [body['management-state'], body['deploy-status'], body['owner-epoch']],
    ['unmanaged', 'rehome-pending', 4],
  )
  const before = await everything(api)
  assert.equal((await byRegion(api, release(5))).status, 200)
  assert.deepEqual(await everything(api), before)
})

test('the peer takes nothing over that it does not share a group with (H11)', async t => {
  const api = await startApi(t)
  await givenMember(api, { peer: { peer_uuid: SITE_UUID } })
  await givenSubcloud(api, 2)
  const before = await everything(api)
  assert.equal((await byRegion(api, release(5))).status, 400)
  assert.equal((await ask(api, 'PATCH', '/s2', release(5), 'peer')).status, 400)
  assert.deepEqual(await everything(api), before)
})

for (const state of ['pre-rehome', 'rehoming'])
  test(`a subcloud that is ${state} here is not given away, whatever the epoch (H11)`, async t => {
    const api = await startApi(t)
    await givenMember(api, { subcloud: { ...SECONDARY, deploy_status: state } })
    const before = await everything(api)
    const { status: code, text } = await byRegion(api, release(99))
    assert.deepEqual([code, text.includes(state)], [400, true])
    assert.deepEqual(await everything(api), before)
  })

for (const state of ['secondary', 'rehome-failed', 'rehome-prep-failed'])
  test(`a subcloud that is ${state} here stays so when the peer takes it (H7)`, async t => {
    const api = await startApi(t)
    await givenMember(api, { subcloud: { ...SECONDARY, deploy_status: state } })
    const before = await everything(api)
    assert.equal((await byRegion(api, release(9))).body['deploy-status'], state)
    assert.deepEqual(
      await everything(api),
      before,
      'also of the same epoch: the audit makes it a copy once it is managed',
    )
  })

const copyOf = (edits: Readonly<Record<string, number>>, rest = {}): Parts => ({
  fields: { bootstrap_address: '10.2.1.9', values_version: JSON.stringify(edits), ...rest },
  files: { bootstrap_values: valuesOf(1, { extra: 'new' }) },
})

test('the peer writes its newer values and epoch into a copy, and no association is marked', async t => {
  const api = await startApi(t)
  await givenMember(api, { ...NON_PRIMARY, subcloud: SECONDARY })
  const edits = { [SITE_UUID]: 1, [PEER_UUID]: 2 }
  const rest = { owner_epoch: '8', release: '23.09', peer_group: '1' }
  const { status: code, body } = await byRegion(api, copyOf(edits, rest))
  const row = await rowOf(api, 'subcloud')
  assert.deepEqual([code, payload(row)['extra'], body['software-version']], [200, 'new', '23.09'])
  assert.deepEqual([version(row), row['owner_epoch'], await status(api)], [edits, 8, 'in-sync'])
})

for (const [what, edits] of [
  ['older than ours', {}],
  ['in conflict with ours', { [PEER_UUID]: 9 }],
] as const)
  test(`values of the peer that are ${what} are refused with 409, and nothing is lost (H14)`, async t => {
    const api = await startApi(t)
    await givenMember(api, { ...NON_PRIMARY, subcloud: SECONDARY })
    const before = await everything(api)
    assert.equal((await byRegion(api, copyOf(edits))).status, 409)
    assert.deepEqual(await everything(api), before)
  })

test('the peer does not write over a subcloud that this site looks after', async t => {
  const api = await startApi(t)
  await givenMember(api)
  assert.equal((await byRegion(api, copyOf({ [SITE_UUID]: 1, [PEER_UUID]: 2 }))).status, 400)
})

test('another implementation, which counts no edits, has them counted', async t => {
  const api = await startApi(t)
  await givenMember(api, { ...NON_PRIMARY, subcloud: SECONDARY })
  await byRegion(api, fields({ bootstrap_address: '10.2.1.9' }))
  assert.deepEqual(version(await rowOf(api, 'subcloud')), { [SITE_UUID]: 1, [PEER_UUID]: 1 })
})
