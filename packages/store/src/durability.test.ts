import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn } from '@godwit/ports'
import { Durability } from './durability.ts'

function setUp() {
  const gates: PromiseWithResolvers<void>[] = []
  const disk = new Durability(() => {
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    return gate.promise
  })
  return { gates, disk }
}

test('the disk is asked for one write at a time, also by who comes in the moment in which one ends', async () => {
  const { gates, disk } = setUp()
  const first = disk.reach()
  const second = disk.reach()
  const third = gates[0]?.promise.then(() => disk.reach())
  gates[0]?.resolve()
  await first
  await nextTurn()
  assert.equal(gates.length, 2, 'the second write has begun, and only that')
  gates[1]?.resolve()
  await second
  await nextTurn()
  assert.equal(gates.length, 3, 'the third came after the second had begun')
  let isTold = false
  const pending = disk.pending()?.then(() => {
    isTold = true
  })
  await nextTurn()
  assert.equal(isTold, false)
  gates[2]?.resolve()
  await Promise.all([third, pending])
  assert.equal(disk.pending(), undefined)
})

test('a write that fails is the last one: everybody who waits is told', async () => {
  const { gates, disk } = setUp()
  const results = [disk.reach(), disk.reach(), disk.reach()]
  gates[0]?.reject(new Error('no'))
  for (const result of results) await assert.rejects(result, /no/)
  assert.equal(gates.length, 1)
  assert.throws(() => disk.assertSound(), /no/)
})
