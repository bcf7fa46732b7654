import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOf, contains, overlap, sizeOf, subnetOf } from './address.ts'

test('addresses of both families are numbers, in every spelling', () => {
  assert.deepEqual(addressOf('10.0.1.2'), { family: 4, value: 0x0a00_0102n })
  const spellings = ['fd00::1', 'fd00:0:0:0:0:0:0:1', 'FD00::0.0.0.1']
  for (const spelling of spellings)
    assert.deepEqual(addressOf(spelling), { family: 6, value: (0xfd00n << 112n) | 1n }, spelling)
  assert.deepEqual(addressOf('::')?.value, 0n)
  assert.deepEqual(addressOf('1::')?.value, 1n << 112n)
  for (const bad of ['', '10.0.0', '10.0.0.256', 'fd00::1%eth0', 'name', '1::2::3'])
    assert.equal(addressOf(bad), undefined, bad)
})

test('a subnet begins where its prefix says', () => {
  const subnet = subnetOf('10.0.0.0/29')
  assert.ok(subnet)
  assert.equal(sizeOf(subnet), 8n)
  for (const bad of ['10.0.0.0', '10.0.0.1/24', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'x/8', '::/129'])
    assert.equal(subnetOf(bad), undefined, bad)
})

test('an address is in a subnet exactly when their first bits are the same', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  fc.assert(
    fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), (left, right, prefix) => {
      const bits = (octetsOf: readonly number[]) => octetsOf.map(octet => octet.toString(2).padStart(8, '0')).join('')
      const start = bits(left).slice(0, prefix).padEnd(32, '0')
      const text = (start.match(/.{8}/g) ?? []).map(octet => Number.parseInt(octet, 2)).join('.')
      const subnet = subnetOf(`${text}/${prefix}`)
      const address = addressOf(right.join('.'))
      assert.ok(subnet && address)
      assert.equal(contains(subnet, address), bits(left).slice(0, prefix) === bits(right).slice(0, prefix))
    }),
  )
})

test('subnets overlap when one is in the other, and never across families', () => {
  const subnet = (text: string) => {
    const parsed = subnetOf(text)
    assert.ok(parsed)
    return parsed
  }
  assert.equal(overlap(subnet('10.0.0.0/16'), subnet('10.0.5.0/24')), true)
  assert.equal(overlap(subnet('10.0.5.0/24'), subnet('10.0.0.0/16')), true)
  assert.equal(overlap(subnet('10.0.0.0/24'), subnet('10.0.1.0/24')), false)
  assert.equal(overlap(subnet('0.0.0.0/0'), subnet('::/0')), false)
})
