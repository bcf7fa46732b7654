/** What the other site asks about many subclouds in one request: the same as one by one, and by the same rules. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { peerSites } from '../src/peer/peer-client.ts'
import { type Api, SITE_UUID, startApi } from './api.ts'
import { everything, givenMember, givenSubcloud, rowOf, SECONDARY } from './fixture.ts'

const regionOf = (number: number) => `${number}`.padStart(32, '0')

async function views(api: Api, subclouds: unknown, user = 'peer') {
  const answer = await api.call('POST', '/subcloud-views', { subclouds }, { 'x-auth-token': await api.tokenOf(user) })
  const text = await answer.text()
  const list = answer.status === 200 ? JSON.parse(text).subcloud_views : []
  return { status: answer.status, text, list }
}

const view = (deploy: string, management: string, epoch = 4) => ({
  'deploy-status': deploy,
  'management-state': management,
  'owner-epoch': epoch,
  'values-version': { [SITE_UUID]: 1 },
})

/** One that is shared with the peer, and one that is in no group. */
async function setUp(t: TestContext, subcloud: Readonly<Record<string, string>> = {}): Promise<Api> {
  const api = await startApi(t)
  await givenMember(api, { subcloud: { owner_epoch: 4, ...subcloud } })
  await givenSubcloud(api, 2)
  return api
}

test('a look says what there is, without values, and what there is not; nothing is changed', async t => {
  const api = await setUp(t)
  const before = await everything(api)
  const { status, text, list } = await views(api, [{ region: regionOf(1) }, { region: 'nobody' }])
  assert.equal(status, 200)
  assert.deepEqual(list, [
    { region: regionOf(1), view: view('complete', 'managed') },
    { region: 'nobody', refusal: { status: 404, message: 'Subcloud not found' } },
  ])
  assert.ok(!text.includes('10.2.1') && !text.includes('bootstrap'))
  assert.deepEqual(await everything(api), before)
})

test('a subcloud is handed over for a higher epoch only, whatever becomes of the others; again changes nothing', async t => {
  const api = await setUp(t)
  const asked = [
    { region: regionOf(1), owner_epoch: 5 },
    { region: regionOf(2), owner_epoch: 5 },
    { region: 'nobody', owner_epoch: 5 },
  ]
  const low = await views(api, [{ region: regionOf(1), owner_epoch: 4 }])
  assert.equal(low.list[0].refusal.status, 400)
  assert.equal((await rowOf(api, 'subcloud'))['management_state'], 'managed')
  const { list } = await views(api, asked)
  assert.deepEqual(list[0], { region: regionOf(1), view: view('rehome-pending', 'unmanaged') })
  assert.deepEqual([list[1].refusal.status, list[2].refusal.status], [400, 404])
  const before = await everything(api)
  assert.deepEqual((await views(api, asked)).list, list)
  assert.deepEqual(await everything(api), before)
})

for (const state of ['pre-rehome', 'rehoming'])
  test(`a subcloud that is ${state} here is not given away (H11)`, async t => {
    const api = await setUp(t, { ...SECONDARY, deploy_status: state })
    const { list } = await views(api, [{ region: regionOf(1), owner_epoch: 99 }])
    assert.deepEqual([list[0].refusal.status, list[0].refusal.message.includes(state)], [400, true])
  })

test('nobody but the other site asks so, and a request that is malformed does nothing', async t => {
  const api = await setUp(t)
  const before = await everything(api)
  const one = { region: regionOf(1), owner_epoch: 5 }
  assert.equal((await views(api, [one], 'admin')).status, 403)
  for (const wrong of [[], [{}], [{ region: 1 }], [{ ...one, owner_epoch: '5' }], Array(201).fill(one), 'x'])
    assert.equal((await views(api, wrong)).status, 400)
  assert.deepEqual(await everything(api), before)
})

/** @param knows false: as a site of another implementation, or an older one */
for (const knows of [true, false])
  test(`the client of a site that ${knows ? 'knows' : 'does not know'} such requests gets the same answers`, async t => {
    const api = await setUp(t)
    const paths: string[] = []
    const peer = peerSites({
      clock: api.clock,
      exchange: async request => {
        const path = new URL(request.url).pathname
        paths.push(`${request.method} ${path}`)
        const url = !knows && path.endsWith('/subcloud-views') ? `${api.url}/v1.0/nothing` : request.url
        return await api.exchange({ ...request, url })
      },
    })({
      id: 1,
      manager_endpoint: `${api.url}/v3`,
      manager_username: 'peer',
      manager_password: Buffer.from('peer-secret').toString('base64'),
    })
    const [seen, absent, given, refused] = await Promise.allSettled([
      peer.view(regionOf(2)),
      peer.view('nobody'),
      peer.standDown(regionOf(1), 5),
      peer.standDown('nobody', 5),
    ])
    assert.equal(seen.status === 'fulfilled' && seen.value?.ownerEpoch, 1)
    assert.deepEqual([absent.status, absent.status === 'fulfilled' && absent.value], ['fulfilled', undefined])
    assert.equal(given.status === 'fulfilled' && given.value.deployStatus, 'rehome-pending')
    assert.equal(refused.status === 'rejected' && refused.reason.status, 404)
    const single = paths.filter(path => path.includes('/subclouds/'))
    assert.equal(single.length, knows ? 1 : 4, 'a second question about one subcloud goes alone')
  })
