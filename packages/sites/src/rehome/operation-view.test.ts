import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Batch, BatchMember, MemberOutcome } from './batch-rows.ts'
import { batchOutcome, etaMsOf, operationView } from './operation-view.ts'

const batch: Batch = {
  id: 1,
  version: 1,
  operationId: 'op-1',
  groupId: 1,
  groupName: 'g',
  requestedBy: 'admin',
  sysadminPassword: 'secret',
  cursor: { stage: 'Moving', direction: 'Forward', entered: true },
  isReported: false,
  cancelledMs: undefined,
  waitsFor: '1 members to end',
  waitsOn: 'the subclouds',
  sinceMs: 0,
  startedMs: 0,
  endedMs: undefined,
  outcome: undefined,
  createdAt: '1970-01-01 00:00:00.000',
}
const member = (given: Partial<BatchMember> = {}): BatchMember => ({
  id: 1,
  version: 1,
  batchId: 1,
  subcloudId: 1,
  name: 's1',
  cursor: { stage: 'Claiming', direction: 'Forward', entered: false },
  wantedEpoch: 0,
  runId: 'r',
  run: undefined,
  isPrepared: false,
  isFailureReported: false,
  queuedMs: 0,
  waitsFor: undefined,
  waitsOn: undefined,
  sinceMs: 0,
  startedMs: undefined,
  endedMs: undefined,
  outcome: undefined,
  code: undefined,
  message: undefined,
  ...given,
})
const done = (startedMs: number, endedMs: number) =>
  member({ run: { kind: 'succeeded', startedMs, endedMs }, startedMs, endedMs, outcome: 'complete' })

test('the guess grows with what is left and shrinks with what runs at once', () => {
  const ended = done(0, 100)
  assert.equal(etaMsOf([ended, member()], 100), 200)
  assert.equal(etaMsOf([ended, member({ startedMs: 50 }), member({ startedMs: 50 })], 100), 150)
  assert.equal(etaMsOf([ended, member({ startedMs: 100 }), member()], 100), 300)
  assert.equal(etaMsOf([ended, member({ startedMs: 100 }), member({ startedMs: 100 }), member(), member()], 100), 300)
})

test('without anything to guess from, and when all has ended, there is no guess', () => {
  assert.equal(etaMsOf([member({ startedMs: 1 }), member()], 5), undefined)
  assert.equal(etaMsOf([done(0, 5)], 5), undefined)
  const notRun = member({ startedMs: 0, endedMs: 1, outcome: 'failed' })
  assert.equal(etaMsOf([notRun, member()], 5), undefined)
})

test('no guess lies in the past', () => {
  const time = fc.nat(1000)
  fc.assert(
    fc.property(fc.array(fc.option(time, { nil: undefined })), time, time, (starts, tookMs, nowMs) => {
      const eta = etaMsOf([done(0, tookMs), ...starts.map(startedMs => member({ startedMs }))], nowMs)
      assert.ok(eta === undefined ? starts.length === 0 : eta >= nowMs)
    }),
  )
})

test('a view counts each member once and never shows the password', () => {
  const members = [
    done(0, 10),
    member({ outcome: 'failed', endedMs: 3, code: 'ValuesMissing', message: 'no address' }),
    member({ startedMs: 4, cursor: { stage: 'Running', direction: 'Forward', entered: true } }),
    member(),
  ]
  const view = operationView(batch, members, 20)
  assert.deepEqual(view.progress, {
    total: 4,
    complete: 1,
    failed: 1,
    cancelled: 0,
    under_way: 1,
    not_begun: 1,
    percent: 50,
  })
  assert.deepEqual(
    view.subclouds.map(({ stage, code }) => [stage, code]),
    [
      ['Ended', null],
      ['Ended', 'ValuesMissing'],
      ['Running', null],
      ['NotBegun', null],
    ],
  )
  assert.equal(JSON.stringify(view).includes('secret'), false)
})

test('what became of a batch says what became of its members', () => {
  const ended = (...outcomes: MemberOutcome[]) => outcomes.map(outcome => member({ outcome, endedMs: 1 }))
  assert.equal(batchOutcome(batch, ended('complete', 'complete')), 'complete')
  assert.equal(batchOutcome(batch, ended('complete', 'failed')), 'partly-failed')
  assert.equal(batchOutcome(batch, ended('failed', 'failed')), 'failed')
  const cancelled = { cancelledMs: 5 }
  assert.equal(batchOutcome(cancelled, ended('complete', 'cancelled')), 'cancelled')
  assert.equal(batchOutcome(cancelled, ended('complete')), 'complete')
})
