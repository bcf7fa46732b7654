import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fails, holds, nothingToProve, type StageTable, waits } from '@godwit/core'
import { planTable } from './plan-table.ts'

interface Facts {
  readonly isFree: boolean
  readonly isDone: boolean
}

const empty = { deadlineMs: 1, guards: [], steps: [], proof: nothingToProve, undo: [], undone: nothingToProve }
const table: StageTable<Facts, 'write'> = {
  party: 'p',
  scope: 'item',
  stages: [
    {
      ...empty,
      name: 'Validating',
      guards: [{ what: 'it is free', check: ({ isFree }) => (isFree ? holds : fails('Taken', 'it is taken')) }],
    },
    {
      ...empty,
      name: 'Initializing',
      steps: [
        {
          what: 'write it',
          permit: { what: 'it may', check: () => waits('x', 'the controller') },
          missing: ({ isDone }) => (isDone ? [] : ['write']),
        },
      ],
      proof: { what: 'it is written', check: () => holds },
      undo: [{ what: 'unwrite it', missing: () => [] }],
    },
    { ...empty, name: 'Registering', guards: [{ what: 'it was written', check: () => fails('Late', 'it is not') }] },
    { ...empty, name: 'Idle' },
  ],
}

const plan = (facts: Facts) => planTable({ title: 'T', table, facts, commands: effect => [`do ${effect}`] })

test('a plan tells demands with their present value, effects in order, proof and the way back; idle stages are left out', () => {
  assert.deepEqual(plan({ isFree: true, isDone: false }).text.split('\n'), [
    '## T',
    'Validating:',
    '  demands it is free (now: yes)',
    'Initializing:',
    '  1. write it, only when it may (now: not yet, the controller has to bring it about)',
    '       do write',
    '  done when it is written',
    '  taken back: unwrite it',
    'Registering:',
    '  demands it was written (now: no, Late: it is not)',
    '',
  ])
})

test('what would refuse the migration now is a problem; what later stages demand is not', () => {
  assert.equal(plan({ isFree: true, isDone: false }).problem, undefined)
  assert.equal(plan({ isFree: false, isDone: false }).problem, 'Taken: it is taken')
})
