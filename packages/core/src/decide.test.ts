import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Cursor, decide } from './decide.ts'
import type { StageTable } from './stage.ts'
import { fails, holds, type Verdict, waits } from './verdict.ts'

interface Facts {
  readonly guard?: Verdict
  readonly permit?: Verdict
  readonly proof?: Verdict
  readonly first?: readonly string[]
  readonly second?: readonly string[]
  readonly undo?: readonly string[]
  readonly undoPermit?: Verdict
  readonly undone?: Verdict
}

const table: StageTable<Facts, string, 'Prepare' | 'Move' | 'Clean'> = {
  party: 'test',
  scope: 'item',
  stages: (['Prepare', 'Move', 'Clean'] as const).map(name => ({
    name,
    deadlineMs: 1000,
    guards: [{ what: 'guard', check: (facts: Facts) => facts.guard ?? holds }],
    steps: [
      { what: 'first', missing: (facts: Facts) => facts.first ?? [] },
      {
        what: 'second',
        permit: { what: 'permit', check: (facts: Facts) => facts.permit ?? holds },
        missing: (facts: Facts) => facts.second ?? [],
      },
    ],
    proof: { what: 'proof', check: (facts: Facts) => facts.proof ?? holds },
    undo: [
      {
        what: 'undo',
        permit: { what: 'undo permit', check: (facts: Facts) => facts.undoPermit ?? holds },
        missing: (facts: Facts) => facts.undo ?? [],
      },
    ],
    undone: { what: 'undone', check: (facts: Facts) => facts.undone ?? holds },
  })),
}

const at = (over: Partial<Cursor<'Prepare' | 'Move' | 'Clean'>> = {}): Cursor<'Prepare' | 'Move' | 'Clean'> => ({
  stage: 'Move',
  direction: 'Forward',
  entered: true,
  ...over,
})
const notYet = waits('rain', 'the weather')
const never = fails('Broken', 'it is broken: mend it')

const rows: readonly [string, Cursor<'Prepare' | 'Move' | 'Clean'>, Facts, object][] = [
  ['a proven stage advances to the next row', at(), {}, { kind: 'advance', stage: 'Move', to: 'Clean' }],
  ['the last proven stage finishes', at({ stage: 'Clean' }), {}, { kind: 'finish', stage: 'Clean', outcome: 'done' }],
  [
    'missing effects are acted on in the order of the steps',
    at(),
    { proof: notYet, first: ['a'], second: ['b'] },
    { kind: 'act', stage: 'Move', step: 'first', effects: ['a'] },
  ],
  [
    'a later step acts once the earlier has nothing missing',
    at(),
    { proof: notYet, second: ['b'] },
    { kind: 'act', stage: 'Move', step: 'second', effects: ['b'] },
  ],
  [
    'a step without its permit waits and names what for',
    at(),
    { proof: notYet, second: ['b'], permit: notYet },
    { kind: 'wait', stage: 'Move', waitsFor: 'rain', who: 'the weather' },
  ],
  [
    'a step whose permit fails is compensated, not performed',
    at(),
    { proof: notYet, second: ['b'], permit: never },
    { kind: 'compensate', stage: 'Move', code: 'Broken', message: 'it is broken: mend it' },
  ],
  [
    'with nothing missing the stage waits for its proof',
    at(),
    { proof: notYet },
    { kind: 'wait', stage: 'Move', waitsFor: 'rain', who: 'the weather' },
  ],
  [
    'a failed proof compensates even while effects are missing',
    at(),
    { proof: never, first: ['a'] },
    { kind: 'compensate', stage: 'Move', code: 'Broken', message: 'it is broken: mend it' },
  ],
  [
    'guards come before effects',
    at({ entered: false }),
    { guard: notYet, proof: notYet, first: ['a'] },
    { kind: 'wait', stage: 'Move', waitsFor: 'rain', who: 'the weather' },
  ],
  [
    'guards come before a proof that happens to hold',
    at({ entered: false }),
    { guard: never },
    { kind: 'compensate', stage: 'Move', code: 'Broken', message: 'it is broken: mend it' },
  ],
  [
    'guards are not asked again once entered',
    at(),
    { guard: never, proof: notYet, first: ['a'] },
    { kind: 'act', stage: 'Move', step: 'first', effects: ['a'] },
  ],
  [
    'undo acts on what is still to be undone',
    at({ direction: 'Undo' }),
    { undo: ['x'] },
    { kind: 'act', stage: 'Move', step: 'undo', effects: ['x'] },
  ],
  ['undo goes to the row before', at({ direction: 'Undo' }), {}, { kind: 'advance', stage: 'Move', to: 'Prepare' }],
  [
    'undo of the first row finishes',
    at({ direction: 'Undo', stage: 'Prepare' }),
    {},
    { kind: 'finish', stage: 'Prepare', outcome: 'undone' },
  ],
  [
    'undo waits for its permit',
    at({ direction: 'Undo' }),
    { undo: ['x'], undoPermit: notYet },
    { kind: 'wait', stage: 'Move', waitsFor: 'rain', who: 'the weather' },
  ],
  [
    'undo that cannot work asks a person',
    at({ direction: 'Undo' }),
    { undo: ['x'], undoPermit: never },
    { kind: 'ask', stage: 'Move', code: 'Broken', message: 'it is broken: mend it' },
  ],
  [
    'an overdue forward stage is compensated and says what was missing',
    at({ deadlineMs: 100 }),
    { proof: notYet },
    {
      kind: 'compensate',
      stage: 'Move',
      code: 'Timeout',
      message: 'the deadline of Move passed, still waiting for rain',
    },
  ],
  [
    'an overdue undo asks a person',
    at({ deadlineMs: 100, direction: 'Undo' }),
    { undo: ['x'] },
    { kind: 'ask', stage: 'Move', code: 'Timeout', message: 'the deadline of Move passed, still doing: undo' },
  ],
  [
    'a proof in the same tick as the deadline wins',
    at({ deadlineMs: 100 }),
    {},
    { kind: 'advance', stage: 'Move', to: 'Clean' },
  ],
]

for (const [sentence, cursor, facts, expected] of rows)
  test(`decide: ${sentence}`, () => assert.deepEqual(decide(table, cursor, facts, 100), expected))

test('decide: undo waits for the evidence that nothing is left', () => {
  const decision = decide(table, at({ direction: 'Undo' }), { undone: notYet }, 0)
  assert.deepEqual(decision, { kind: 'wait', stage: 'Move', waitsFor: 'rain', who: 'the weather' })
})

const verdict = fc.constantFrom(holds, notYet, never)
const effects = fc.array(fc.string({ minLength: 1 }), { maxLength: 2 })
const anyFacts = fc.record({
  guard: verdict,
  permit: verdict,
  proof: verdict,
  first: effects,
  second: effects,
  undo: effects,
  undoPermit: verdict,
})

test('decide: never acts without its permit, and never returns an empty act', () => {
  fc.assert(
    fc.property(anyFacts, fc.boolean(), fc.constantFrom('Forward', 'Undo'), (facts, entered, direction) => {
      const decision = decide(table, at({ entered, direction }), facts, 0)
      if (decision.kind !== 'act') return
      assert.ok(decision.effects.length > 0)
      if (decision.step === 'second') assert.equal(facts.permit.kind, 'holds')
      if (decision.step === 'undo') assert.equal(facts.undoPermit.kind, 'holds')
      if (!entered && direction === 'Forward') assert.equal(facts.guard.kind, 'holds')
    }),
  )
})

test('decide: the same input gives the same output', () => {
  fc.assert(
    fc.property(anyFacts, facts => {
      assert.deepEqual(decide(table, at(), facts, 5), decide(table, at(), facts, 5))
    }),
  )
})

test('decide: a stage the table does not have is refused loudly', () => {
  // @ts-expect-error a name outside the table
  assert.throws(() => decide(table, at({ stage: 'Nowhere' }), {}, 0), /has no stage Nowhere/)
})
