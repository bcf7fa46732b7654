import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '@godwit/core'
import fc from 'fast-check'
import { BATCH_STAGES, type BatchFacts, type BatchStage, batchTable, nextOwnerEpoch } from './batch-table.ts'

const start: BatchFacts = {
  siteId: 'b',
  leaderId: 'a',
  migrationStatus: undefined,
  unfinished: 2,
  peer: 'available',
  isReported: false,
}
const at = (stage: BatchStage, facts: BatchFacts) =>
  decide(batchTable, { stage, direction: 'Forward', entered: false }, facts, 0)

test('a batch opens, moves, leads, reports and ends, each only after the one before', () => {
  const migrating = { ...start, migrationStatus: 'migrating' } as const
  assert.deepEqual(at('Opening', start), {
    kind: 'act',
    stage: 'Opening',
    step: 'mark the group as migrating',
    effects: [{ kind: 'open' }],
  })
  assert.equal(at('Opening', migrating).kind, 'advance')
  assert.equal(at('Moving', migrating).kind, 'wait')
  const ended = { ...migrating, unfinished: 0 }
  assert.equal(at('Moving', ended).kind, 'advance')
  const lead = at('Leading', ended)
  assert.deepEqual(lead.kind === 'act' && lead.effects, [{ kind: 'lead' }])
  const led = { ...ended, leaderId: 'b', migrationStatus: 'complete' } as const
  assert.equal(at('Leading', led).kind, 'advance')
  const report = at('Reporting', led)
  assert.deepEqual(report.kind === 'act' && report.effects, [{ kind: 'report' }])
  assert.deepEqual(at('Reporting', { ...led, isReported: true }), {
    kind: 'finish',
    stage: 'Reporting',
    outcome: 'done',
  })
})

test('a batch that was marked and not led yet never leads before its last member has ended', () => {
  const decision = at('Leading', { ...start, migrationStatus: 'migrating', unfinished: 1 })
  assert.equal(decision.kind, 'wait')
})

test('a group that this site leads already, and that still says migrating, is closed (H2)', () => {
  const decision = at('Leading', { ...start, leaderId: 'b', migrationStatus: 'migrating', unfinished: 0 })
  assert.deepEqual(decision.kind === 'act' && decision.effects, [{ kind: 'lead' }])
})

test('an unavailable site does not hold up the end: its own audit finds out', () => {
  for (const peer of ['none', 'unavailable'] as const)
    assert.equal(at('Reporting', { ...start, peer, unfinished: 0 }).kind, 'finish')
})

test('no shared row undoes anything: members that came home stay', () =>
  assert.deepEqual(
    batchTable.stages.filter(({ undo }) => undo.length > 0),
    [],
  ))

test('the stages are those of the list', () =>
  assert.deepEqual(
    batchTable.stages.map(({ name }) => name),
    BATCH_STAGES,
  ))

test('an attempt goes beyond every epoch that anybody is known to have given (H11)', () => {
  const sighted = { isBlind: false }
  assert.equal(nextOwnerEpoch({ known: [], priority: 0, ...sighted }), 2)
  assert.equal(nextOwnerEpoch({ known: [2, 5, 3], priority: 0, ...sighted }), 6)
  assert.equal(nextOwnerEpoch({ known: [2, 5, 3], priority: 1, ...sighted }), 7)
})

test('two sites that set out at once, in sight of each other or not, never give the same epoch (H11)', () => {
  const epochs = fc.array(fc.nat(10_000))
  fc.assert(
    fc.property(epochs, epochs, fc.boolean(), fc.boolean(), (known, others, isBlind, isOtherBlind) => {
      const onA = nextOwnerEpoch({ known, priority: 0, isBlind })
      const onB = nextOwnerEpoch({ known: others, priority: 1, isBlind: isOtherBlind })
      assert.notEqual(onA, onB)
      assert.ok(known.every(epoch => epoch < onA) && others.every(epoch => epoch < onB))
    }),
  )
})

test('what was claimed without asking is beyond what the other site tried meanwhile', () => {
  let unseen = 4
  for (let attempt = 0; attempt < 100; attempt++)
    unseen = nextOwnerEpoch({ known: [unseen], priority: 0, isBlind: false })
  assert.ok(nextOwnerEpoch({ known: [4], priority: 1, isBlind: true }) > unseen)
})
