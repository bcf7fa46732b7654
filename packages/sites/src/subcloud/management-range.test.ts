import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { insertRow, migrateSchema } from '@godwit/store'
import fc from 'fast-check'
import { testedDatabases } from '../../../../scripts/testing/databases.ts'
import { subcloudRow } from '../../test/rehome-rig.ts'
import { sitesSchema } from '../state/schema.ts'
import { addressOf } from './address.ts'
import { nearestRange, rangeColumns, sortableAddress } from './management-range.ts'

const ipv4 = fc.ipV4()
const ipv6 = fc.ipV6().filter(text => addressOf(text) !== undefined)

test('addresses sort as they are ordered, each family for itself', () =>
  fc.assert(
    fc.property(fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)), ([left, right]) => {
      const [first, second] = [addressOf(left)?.value ?? 0n, addressOf(right)?.value ?? 0n]
      assert.equal(sortableAddress(left) < sortableAddress(right), first < second)
    }),
  ))

test('what is no address has no place among them', () =>
  assert.deepEqual(rangeColumns('10.0.0.1', 'nonsense'), {
    management_first: `4${'0a000001'.padStart(32, '0')}`,
    management_last: '',
  }))

for (const { name, make } of testedDatabases) {
  const setUp = async (t: Parameters<typeof make>[0], steps = sitesSchema) => {
    const database = (await make(t))(new VirtualClock())
    await migrateSchema(database, steps)
    return database
  }
  const taken = (start: string, end: string) => ({ management_start_address: start, management_end_address: end })

  test(`${name}: the one subcloud whose addresses may overlap is found, whoever added it`, async t => {
    const database = await setUp(t)
    await database.transaction(async sql => {
      for (const number of [1, 2, 3])
        await insertRow(sql, 'subcloud', {
          ...subcloudRow(number),
          peer_group_id: null,
          ...rangeColumns(`192.168.${number}.2`, `192.168.${number}.50`),
        })
      const found = async (start: string, end: string) =>
        (await nearestRange(sql, taken(start, end))).map(range => range.name)
      // Of an older replica.
      await insertRow(sql, 'subcloud', { ...subcloudRow(4), peer_group_id: null })
      assert.deepEqual(await found('192.168.2.40', '192.168.2.60'), ['s2'])
      assert.deepEqual(await found('192.168.1.50', '192.168.1.51'), ['s1'])
      assert.deepEqual(await found('192.168.1.51', '192.168.2.1'), ['s1'], 'the nearest one, which does not overlap')
      assert.deepEqual(await found('192.168.0.1', '192.168.1.1'), [])
      assert.deepEqual(await found('192.168.0.1', '192.168.9.1'), ['s4'])
      assert.deepEqual(await found('::1', 'ffff::'), ['s4'], 'of another family: it does not overlap')
      assert.deepEqual(await found('nonsense', '192.168.9.1'), [])
    })
  })

  test(`${name}: subclouds of a database that had no such columns are given them`, async t => {
    const database = await setUp(t, sitesSchema.slice(0, -1))
    await database.transaction(sql => insertRow(sql, 'subcloud', { ...subcloudRow(7), peer_group_id: null }))
    assert.deepEqual(await migrateSchema(database, sitesSchema), ['management-range'])
    await database.transaction(async sql => {
      const found = await nearestRange(sql, taken('192.168.7.50', '192.168.7.99'))
      assert.deepEqual(found, [{ name: 's7', start: '192.168.7.2', end: '192.168.7.50' }])
    })
  })
}
