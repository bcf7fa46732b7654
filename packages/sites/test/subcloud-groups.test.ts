import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from './api.ts'

const GROUP = { name: 'north', description: 'Up there', update_apply_type: 'serial', max_parallel_subclouds: '20' }
type Group = Record<string, unknown>

test('every site has the default group, which is neither renamed nor deleted', async t => {
  const api = await startApi(t)
  const list = (await (await api.call('GET', '/subcloud-groups/')).json()) as { subcloud_groups: Group[] }
  assert.deepEqual(
    list.subcloud_groups.map(group => [group['id'], group['name'], group['max_parallel_subclouds']]),
    [[1, 'Default', 2]],
  )
  for (const ref of ['1', 'Default']) {
    assert.equal((await api.call('PATCH', `/subcloud-groups/${ref}`, { name: 'other' })).status, 400)
    assert.equal((await api.call('DELETE', `/subcloud-groups/${ref}`)).status, 400)
  }
  assert.equal((await api.call('PATCH', '/subcloud-groups/1', { max_parallel_subclouds: 9 })).status, 200)
})

test('a group is made, shown by id and name, changed and deleted', async t => {
  const api = await startApi(t)
  const made = (await (await api.call('POST', '/subcloud-groups/', GROUP)).json()) as Group
  const { 'created-at': createdAt, 'updated-at': updatedAt, ...rest } = made
  assert.deepEqual(rest, { ...GROUP, id: 2, max_parallel_subclouds: 20 })
  assert.deepEqual([typeof createdAt, updatedAt], ['string', null])
  for (const ref of ['2', 'north'])
    assert.deepEqual(await (await api.call('GET', `/subcloud-groups/${ref}`)).json(), made)
  const changed = (await (await api.call('PATCH', '/subcloud-groups/north', { name: 'south' })).json()) as Group
  assert.deepEqual([changed['name'], typeof changed['updated-at']], ['south', 'string'])
  assert.equal(await (await api.call('DELETE', '/subcloud-groups/south')).json(), null)
  assert.equal((await api.call('GET', '/subcloud-groups/south')).status, 404)
})

const BAD: Readonly<Record<string, readonly unknown[]>> = {
  name: ['', '12', 'a+b', 'x'.repeat(256), 'Default', 'north'],
  description: ['', 'x'.repeat(256)],
  update_apply_type: ['', 'sideways'],
  max_parallel_subclouds: [0, 5001, 'many', ''],
}
for (const [field, values] of Object.entries(BAD))
  test(`a subcloud group with a bad ${field} is refused with 400, and nothing is written`, async t => {
    const api = await startApi(t)
    await api.call('POST', '/subcloud-groups', GROUP)
    await api.call('POST', '/subcloud-groups', { ...GROUP, name: 'east' })
    const before = await (await api.call('GET', '/subcloud-groups')).json()
    for (const value of values) {
      const group = { ...GROUP, name: 'west', [field]: value }
      assert.equal((await api.call('POST', '/subcloud-groups', group)).status, 400, `POST ${value}`)
      assert.equal((await api.call('PATCH', '/subcloud-groups/east', { [field]: value })).status, 400, `PATCH ${value}`)
    }
    assert.deepEqual(await (await api.call('GET', '/subcloud-groups')).json(), before)
  })

test('a method or path that there is not is refused without harm', async t => {
  const api = await startApi(t)
  assert.equal((await api.call('PUT', '/subcloud-groups/1', GROUP)).status, 405)
  assert.equal((await api.call('GET', '/subcloud-groups/1/anything')).status, 404)
  assert.equal((await api.call('GET', '/subcloud-groups/%E0%A4%A')).status, 400)
  assert.equal((await api.call('POST', '/subcloud-groups', ' '.repeat(1_048_577))).status, 413)
})
