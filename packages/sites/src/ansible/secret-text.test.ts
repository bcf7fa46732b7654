import assert from 'node:assert/strict'
import { test } from 'node:test'
import { masked } from './secret-text.ts'

test('secrets are hidden wherever they stand, one that holds another as a whole', () => {
  assert.equal(masked('a St8rlingX* b St8r c', ['St8r', 'St8rlingX*', '']), 'a ****** b ****** c')
  assert.equal(masked('nothing here', ['x y']), 'nothing here')
})
