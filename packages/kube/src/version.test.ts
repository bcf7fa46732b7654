import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareVersions, isOlder, laterVersion } from './version.ts'

test('versions compare as whole numbers of any size', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.bigInt({ min: 0n, max: 2n ** 80n }), (a, b) => {
      const order = compareVersions(String(a), String(b)) ?? Number.NaN
      assert.equal(Math.sign(order), a < b ? -1 : a > b ? 1 : 0)
    }),
  )
})

test('what is not a decimal number cannot be compared and is never older', () => {
  for (const odd of ['', '007', '1.5', 'abc', '-1', undefined]) {
    assert.equal(compareVersions(odd, '5'), undefined)
    assert.equal(compareVersions('5', odd), undefined)
    assert.equal(isOlder(odd, '5'), false)
  }
})

test('the later version wins, and the one learnt last when there is no order', () => {
  assert.equal(laterVersion('9', '10'), '10')
  assert.equal(laterVersion('10', '9'), '10')
  assert.equal(laterVersion(undefined, '1'), '1')
  assert.equal(laterVersion('abc', 'abd'), 'abd')
})
