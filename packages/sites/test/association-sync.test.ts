import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bufferText, formOf } from './captured.ts'
import { associate, type LinkedSite, linkedSites, memberRow, UUIDS } from './linked-sites.ts'

const WRITES = ['POST', 'PATCH', 'DELETE']
const writesTo = ({ asked }: LinkedSite) =>
  asked.filter(({ method }) => WRITES.includes(method)).map(({ method, path }) => `${method} ${path.slice(5)}`)
const sync = async (site: LinkedSite) => (await site.call('PATCH', '/peer-group-associations/1/sync')).status
const region = (number: number) => String(number).padStart(32, '0')

test('LP 2046809: a primary association makes group, association and copies on the peer, and both say in-sync', async () => {
  const { a, b } = await linkedSites()
  assert.deepEqual([await a.sync(), await a.message(), await b.sync()], ['in-sync', null, 'in-sync'])
  const { association_type: type, peer_group_priority: priority } = await b.row('peer_group_association')
  assert.deepEqual([type, priority], ['non-primary', null])
  const group = await b.row('subcloud_peer_group')
  assert.deepEqual(
    [group['peer_group_name'], group['group_priority'], group['system_leader_id'], group['migration_status']],
    ['g', 1, UUIDS.a, null],
  )
  assert.deepEqual(
    await b.members(),
    [1, 2, 3].map(number => `s${number} secondary unmanaged`),
  )
  const [own] = await a.rows('subcloud', { name: 's1' })
  const [copy] = await b.rows('subcloud', { name: 's1' })
  assert.deepEqual(
    [copy?.['region_name'], copy?.['owner_epoch'], copy?.['values_version'], copy?.['systemcontroller_gateway_ip']],
    [own?.['region_name'], 1, own?.['values_version'], '192.168.205.101'],
  )
})

test('a sync of equal copies writes no copy (only the status), one of an edited member writes that member', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  b.asked.length = 0
  assert.equal(await sync(a), 200)
  await sites.settle()
  assert.deepEqual(new Set(writesTo(b)), new Set(['PATCH /peer-group-associations/1']))
  b.asked.length = 0
  await a.edit('s2', { description: 'new', values_version: JSON.stringify({ [UUIDS.a]: 2 }) })
  await sync(a)
  await sites.settle()
  assert.deepEqual(
    writesTo(b).filter(call => !call.includes('associations')),
    [`PATCH /subclouds/${region(2)}`],
  )
  assert.equal((await b.row('subcloud', { name: 's2' }))['description'], 'new')
  assert.deepEqual([await a.sync(), await b.sync()], ['in-sync', 'in-sync'])
})

test('sync_subclouds: what was added here is added there, what was removed here is deleted there', async () => {
  const sites = await linkedSites()
  const { a, b } = sites
  await a.write(async sql => {
    const { peer_group_id: _, ...row } = memberRow(4)
    const columns = Object.keys(row)
    await sql.run(
      `insert into subcloud (${columns.join(', ')}, peer_group_id, version) values (${columns.map(() => '?').join(', ')}, 1, 1)`,
      Object.values(row),
    )
    await sql.run("update subcloud set peer_group_id = null where name = 's1'")
    await sql.run(
      `insert into tombstone (version, peer_group_name, region_name, name, owner_epoch, created_at)
       values (1, 'g', ?, 's1', 1, '2026-01-01')`,
      [region(1)],
    )
  })
  await sync(a)
  await sites.settle()
  assert.deepEqual(
    await b.members(),
    [2, 3, 4].map(number => `s${number} secondary unmanaged`),
  )
  assert.deepEqual([await a.sync(), await b.sync()], ['in-sync', 'in-sync'])
})

test('a member that only the other site has is named and left: nobody here remembers that it is gone (H6)', async () => {
  const sites = await linkedSites()
  await sites.a.edit('s1', { peer_group_id: null })
  await sync(sites.a)
  await sites.settle()
  assert.equal((await sites.b.members()).length, 3)
  assert.equal(await sites.a.sync(), 'failed')
  assert.match(
    String(await sites.a.message()),
    /Failed to sync s1 of the group g\. s1: it is a member on the peer site only/,
  )
})

test('a renamed member is made again under its new name', async () => {
  const sites = await linkedSites()
  const { saved_payload: payload } = JSON.parse(String((await sites.a.row('subcloud'))['rehome_data']))
  const columns = { name: 'renamed', rehome_data: JSON.stringify({ saved_payload: { ...payload, name: 'renamed' } }) }
  await sites.a.edit('s1', columns)
  await sync(sites.a)
  await sites.settle()
  assert.equal(await sites.a.message(), null)
  assert.deepEqual(await sites.b.members(), [
    'renamed secondary unmanaged',
    's2 secondary unmanaged',
    's3 secondary unmanaged',
  ])
  assert.equal(await sites.a.sync(), 'in-sync')
})

test('is_valid_for_subcloud_sync: a member that cannot be carried is named with what it lacks; the others are carried', async () => {
  const sites = await linkedSites({ isAssociated: false })
  const { saved_payload: payload } = JSON.parse(String((await sites.a.row('subcloud'))['rehome_data']))
  const { 'bootstrap-address': _, ...withoutAddress } = payload
  await sites.a.edit('s1', { rehome_data: null })
  await sites.a.edit('s2', { rehome_data: JSON.stringify({ saved_payload: withoutAddress }) })
  await associate(sites)
  assert.deepEqual(await sites.b.members(), ['s3 secondary unmanaged'])
  assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['failed', 'failed'])
  const message = String(await sites.a.message())
  assert.match(message, /s1: it has no bootstrap values; s2: its bootstrap values have no bootstrap-address/)
})

test('a copy that the other site has taken in, or edited since, is not written over (H14)', async () => {
  const sites = await linkedSites()
  await sites.b.edit('s1', { deploy_status: 'complete', management_state: 'managed' })
  await sites.b.edit('s2', { values_version: JSON.stringify({ [UUIDS.a]: 1, [UUIDS.b]: 1 }) })
  await sites.a.edit('s2', { values_version: JSON.stringify({ [UUIDS.a]: 2 }) })
  await sync(sites.a)
  await sites.settle()
  const message = String(await sites.a.message())
  assert.match(message, /s1: it is complete and managed on the peer site/)
  assert.match(message, /s2: it was edited on both sites/)
  assert.equal(await sites.a.sync(), 'failed')
})

test('sync_subcloud_peer_group_failed_sp_notfound: a peer that does not know this site is said so', async () => {
  const sites = await linkedSites({ isAssociated: false })
  await sites.b.call('DELETE', '/system-peers/1')
  await associate(sites)
  assert.equal(await sites.a.sync(), 'failed')
  assert.match(String(await sites.a.message()), /has no system peer with the UUID of this site/)
})

test('sync_subcloud_peer_group_priority: a primary group of that name on the peer is not touched', async () => {
  const sites = await linkedSites({ isAssociated: false })
  await sites.b.call('POST', '/subcloud-peer-groups', { 'peer-group-name': 'g' })
  await associate(sites)
  assert.equal(await sites.a.sync(), 'failed')
  assert.match(String(await sites.a.message()), /priority 0 on the peer site/)
  assert.equal((await sites.b.row('subcloud_peer_group'))['system_leader_id'], UUIDS.b)
})

test('another system at the address of the peer gets nothing', async () => {
  const sites = await linkedSites({ isAssociated: false })
  await sites.a.write(sql => sql.run("update system_peer set peer_uuid = '00000000-0000-4000-8000-000000000001'"))
  await associate(sites)
  assert.match(String(await sites.a.message()), /is the system ac62f555/)
  assert.deepEqual(await sites.b.rows('subcloud_peer_group'), [])
})

test('LP 2062372: a corrected gateway marks both sites out-of-sync, and a sync carries it into every copy', async () => {
  const sites = await linkedSites({ isAssociated: false })
  const set = (gateway: string) =>
    sites.a.call('PATCH', '/system-peers/1', { peer_controller_gateway_address: gateway })
  await set('192.168.205.60')
  await associate(sites)
  assert.equal(await sites.a.sync(), 'in-sync')
  await set('192.168.205.101')
  await sites.settle()
  assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['out-of-sync', 'out-of-sync'])
  await sync(sites.a)
  await sites.settle()
  const gateways = (await sites.b.rows('subcloud')).map(row => row['systemcontroller_gateway_ip'])
  assert.deepEqual(new Set(gateways), new Set(['192.168.205.101']))
  assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['in-sync', 'in-sync'])
})

for (const [gateway, what] of [
  ['10.77.0.1', 'outside of the subnet'],
  ['192.168.205.10', 'inside of the reserved pool'],
] as const)
  test(`LP 2062372: a gateway ${what} fails the association with that reason`, async () => {
    const sites = await linkedSites({ isAssociated: false, members: 1 })
    await sites.a.call('PATCH', '/system-peers/1', { peer_controller_gateway_address: gateway })
    await associate(sites)
    assert.equal(await sites.a.sync(), 'failed')
    assert.match(String(await sites.a.message()), /s1: .*gateway/i)
    assert.deepEqual(await sites.b.members(), [])
  })

test('LP 2049651: install values are carried, and not judged by the other site', async () => {
  const sites = await linkedSites({ isAssociated: false, members: 1 })
  const values = { software_version: '22.12', image: 'http://nowhere/release-that-is-not-there.iso' }
  await sites.a.edit('s1', { data_install: JSON.stringify(values) })
  await associate(sites)
  assert.equal(await sites.a.sync(), 'in-sync')
  assert.deepEqual(JSON.parse(String((await sites.b.row('subcloud'))['data_install'])), values)
})

test('a new priority of the copy is carried, and makes no members equal (H9)', async () => {
  const sites = await linkedSites()
  await sites.a.edit('s1', { description: 'new' })
  await sites.a.write(sql =>
    sql.run("update peer_group_association set sync_status = 'out-of-sync', version = version + 1"),
  )
  await sites.a.call('PATCH', '/peer-group-associations/1', { peer_group_priority: 7 })
  await sites.settle()
  assert.equal((await sites.b.row('subcloud_peer_group'))['group_priority'], 7)
  assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['out-of-sync', 'out-of-sync'])
})

test('an edit while a sync is under way has it done again', async () => {
  const sites = await linkedSites()
  let edits = 0
  const { api } = sites.b
  Object.assign(sites.b, {
    api: async (request: Parameters<typeof api>[0]) => {
      if (request.url.endsWith('/subclouds') && request.method === 'GET' && edits++ === 0) {
        await sites.a.edit('s3', { description: 'late', values_version: JSON.stringify({ [UUIDS.a]: 2 }) })
        await sites.a.write(sql =>
          sql.run("update peer_group_association set sync_status = 'out-of-sync', version = version + 1"),
        )
      }
      return await api(request)
    },
  })
  await sync(sites.a)
  await sites.settle()
  assert.equal((await sites.b.row('subcloud', { name: 's3' }))['description'], 'late')
  assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['in-sync', 'in-sync'])
})

test('a sync that was killed at any point is done to its end by the next life (H5)', async () => {
  let last = 1
  for (let diesAt = 1; diesAt <= last; diesAt++) {
    const sites = await linkedSites({ isAssociated: false, members: 2 })
    await sites.a.edit('s2', { description: 'copied' })
    sites.a.events = 0
    sites.a.diesAt = diesAt
    await associate(sites)
    last = Math.max(last, diesAt === 1 ? sites.a.events : 0)
    await sites.beats(1)
    assert.deepEqual([await sites.a.sync(), await sites.b.sync()], ['in-sync', 'in-sync'], `killed at ${diesAt}`)
    assert.deepEqual(
      await sites.b.members(),
      ['s1 secondary unmanaged', 's2 secondary unmanaged'],
      `killed at ${diesAt}`,
    )
    assert.equal((await sites.b.rows('peer_group_association')).length, 1)
  }
  assert.ok(last > 20, `${last} points`)
})

test('secrets of the values reach the other site, which needs them, and no message of a failure shows them', async () => {
  const sites = await linkedSites({ isAssociated: false, members: 1 })
  const forms: string[] = []
  const { api } = sites.b
  Object.assign(sites.b, {
    api: async (request: Parameters<typeof api>[0]) => {
      if (request.method === 'POST' && request.url.endsWith('/subclouds')) {
        forms.push(JSON.stringify(await formOf(request)))
        return { status: 400, headers: {}, body: bufferText('{"message":"not now"}') }
      }
      return await api(request)
    },
  })
  await associate(sites)
  assert.match(forms.join(), /canary-registry-4/)
  assert.equal(await sites.a.message(), 'Failed to sync s1 of the group g. s1: not now')
})

test('handle_association_operations_in_progress: one that says syncing, and that nobody is to sync, has failed', async () => {
  const sites = await linkedSites()
  await sites.a.write(sql =>
    sql.run("update peer_group_association set sync_status = 'syncing', version = version + 1"),
  )
  await sites.a.write(sql => sql.run("update work set is_open = 1, due_ms = 0 where queue = 'association'"))
  await sites.settle(0)
  assert.equal(await sites.a.sync(), 'failed')
  assert.match(String(await sites.a.message()), /interrupted/)
  assert.equal(await sites.b.sync(), 'failed')
})

test('a group that the other site is taking over is not synced over its head', async () => {
  const sites = await linkedSites()
  await sites.b.edit('s1', { deploy_status: 'rehoming', owner_epoch: 3 })
  await sites.b.write(sql =>
    sql.run("update subcloud_peer_group set migration_status = 'migrating', version = version + 1"),
  )
  sites.b.asked.length = 0
  await sync(sites.a)
  await sites.settle()
  assert.match(String(await sites.a.message()), /is being taken over by the peer site/)
  assert.deepEqual(writesTo(sites.b), ['PATCH /peer-group-associations/1'])
})
