import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeConditions, type NewCondition } from './conditions.ts'
import type { Condition } from './types.ts'

const available: Condition = {
  type: 'Available',
  status: 'True',
  reason: 'Fine',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}
const { lastTransitionTime: _time, ...same } = available
const laterMs = Date.parse('2026-01-02T00:00:00Z')

test('a condition that says the same is not written again', () => {
  assert.equal(mergeConditions([available], [same], laterMs), undefined)
})

test('the transition time moves with the status only', () => {
  const reworded: NewCondition = { ...same, message: 'still fine' }
  assert.equal(mergeConditions([available], [reworded], laterMs)?.[0]?.lastTransitionTime, '2026-01-01T00:00:00Z')
  const lost: NewCondition = { ...same, status: 'Unknown' }
  assert.equal(mergeConditions([available], [lost], laterMs)?.[0]?.lastTransitionTime, '2026-01-02T00:00:00Z')
})

test('others keep their place, new ones are appended', () => {
  const merged = mergeConditions([available], [{ ...same, type: 'Joined' }], laterMs)
  assert.deepEqual(
    merged?.map(condition => condition.type),
    ['Available', 'Joined'],
  )
})
