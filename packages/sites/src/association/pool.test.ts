import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn } from '@godwit/ports'
import { inPool } from './pool.ts'

test('so many at once, and results in the order of the items', async () => {
  let running = 0
  let most = 0
  const results = await inPool([...Array(25).keys()], 10, async item => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < (item % 3) + 1; turn++) await nextTurn()
    running--
    return item * 2
  })
  assert.equal(most, 10)
  assert.deepEqual(
    results,
    [...Array(25).keys()].map(item => item * 2),
  )
})

test('a failure is thrown when nothing runs any more', async () => {
  let running = 0
  const work = async (item: number) => {
    running++
    for (let turn = 0; turn < item; turn++) await nextTurn()
    running--
    if (item === 1) throw new Error('one failed')
  }
  await assert.rejects(inPool([1, 5, 9], 3, work), /one failed/)
  assert.equal(running, 0)
})
