import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CrashLedger, type Found } from './crash-ledger.ts'
import { sharedCount } from './crash-load.ts'

function ledgerOf(...lines: readonly string[]): CrashLedger {
  const ledger = new CrashLedger()
  for (const line of lines) ledger.read(line)
  return ledger
}

const found = (version: number, ...states: readonly [string, string, number][]): Found => ({
  version,
  states: states.map(([name, value, at]) => ({ name, value, version: at })),
})
const oneWrite = ['try 0 put a one', 'done 0 1'] as const

describe('the ledger of the crash test', () => {
  test('accepts what was acknowledged, and an unanswered write either way', () => {
    const script = [...oneWrite, 'try 1 put b two', 'try 0 remove a'] as const
    ledgerOf(...script).check(found(1, ['a', 'one', 1]))
    ledgerOf(...script).check(found(3, ['b', 'two', 2]))
    ledgerOf(...script).check(found(2, ['a', 'one', 1], ['b', 'two', 2]))
  })

  test('notices a lost write, a lost overwrite and a lost removal', () => {
    assert.throws(() => ledgerOf(...oneWrite).check(found(1)), /a: acknowledged one@1, found nothing/)
    const overwritten = [...oneWrite, 'try 0 put a two', 'done 0 2'] as const
    assert.throws(() => ledgerOf(...overwritten).check(found(2, ['a', 'one', 1])), /acknowledged two@2, found one@1/)
    const removed = [...oneWrite, 'try 0 remove a', 'done 0 2'] as const
    assert.throws(() => ledgerOf(...removed).check(found(2, ['a', 'one', 1])), /acknowledged nothing, found one@1/)
  })

  test('notices what nobody wrote', () => {
    assert.throws(
      () => ledgerOf(...oneWrite).check(found(2, ['a', 'one', 1], ['b', 'x', 2])),
      /b: acknowledged nothing/,
    )
    const unanswered = [...oneWrite, 'try 0 put a two'] as const
    assert.throws(() => ledgerOf(...unanswered).check(found(2, ['a', 'half', 2])), /found half@2/)
  })

  test('notices a version that is used again, in the same round, in a later one, or by an unanswered write', () => {
    assert.throws(() => ledgerOf(...oneWrite, 'try 0 put a two', 'done 0 1'), /given out/)
    const ledger = ledgerOf(...oneWrite)
    ledger.check(found(5, ['a', 'one', 1]))
    ledger.read('try 0 put a two')
    assert.throws(() => ledger.read('done 0 5'), /5 was given out although 5 had been seen/)
    const unanswered = ledgerOf(...oneWrite, 'try 0 put b two')
    assert.throws(() => unanswered.check(found(1, ['a', 'one', 1], ['b', 'two', 1])), /found two@1/)
  })

  test('notices a counter that went back', () => {
    assert.throws(() => ledgerOf(...oneWrite).check(found(0, ['a', 'one', 1])), /back at 0, 1 was acknowledged/)
  })

  test('notices lost and surplus increments', () => {
    const script = [1, 2, 3].map(writer => `try ${writer} increment ${sharedCount}`)
    script.push('done 1 1', 'done 2 2')
    ledgerOf(...script).check(found(3, [sharedCount, '3', 3]))
    assert.throws(
      () => ledgerOf(...script).check(found(2, [sharedCount, '1', 1])),
      /2 increments of 0 were acknowledged/,
    )
    assert.throws(() => ledgerOf(...script).check(found(4, [sharedCount, '4', 4])), /3 increments of 0 were tried/)
  })
})
