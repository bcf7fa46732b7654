import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DeadlineHeap } from './deadline-heap.ts'

test('keys come out in order of their last deadline, each once', () => {
  const operation = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    at: fc.option(fc.nat(100), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), operations => {
      const heap = new DeadlineHeap()
      const model = new Map<string, number>()
      for (const { key, at } of operations) {
        if (at === undefined) {
          heap.delete(key)
          model.delete(key)
        } else {
          heap.set(key, at)
          model.set(key, at)
        }
      }
      assert.equal(heap.size, model.size)
      const taken: number[] = []
      for (let key = heap.takeDue(100); key !== undefined; key = heap.takeDue(100)) {
        taken.push(model.get(key) ?? -1)
        model.delete(key)
      }
      assert.deepEqual(
        taken,
        taken.toSorted((a, b) => a - b),
      )
      assert.equal(model.size, 0)
    }),
  )
})

test('a key that is not due stays', () => {
  const heap = new DeadlineHeap()
  heap.set('a', 10)
  assert.equal(heap.takeDue(9), undefined)
  assert.equal(heap.next(), 10)
  assert.equal(heap.takeDue(10), 'a')
  assert.equal(heap.next(), undefined)
})
