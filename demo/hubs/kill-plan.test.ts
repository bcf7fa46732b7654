import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_KILLS, KillPlan } from './kill-plan.ts'

test('a kill is due in its stage, once', () => {
  const plan = new KillPlan(DEFAULT_KILLS)
  assert.deepEqual(plan.due('Validating'), [])
  assert.deepEqual(plan.due('Initializing'), [DEFAULT_KILLS[0]])
  assert.deepEqual(plan.due('Initializing'), [])
})

test('a stage that passed between two looks is made up for', () => {
  const plan = new KillPlan(DEFAULT_KILLS)
  assert.deepEqual(plan.due('Registering'), DEFAULT_KILLS)
  assert.deepEqual(plan.open, [])
})

test('nothing is killed after the end, and what never came to pass is told', () => {
  const plan = new KillPlan(DEFAULT_KILLS)
  assert.deepEqual(plan.due('Completed'), [])
  assert.deepEqual(plan.due(undefined), [])
  assert.deepEqual(plan.open, DEFAULT_KILLS)
})
