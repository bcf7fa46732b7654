import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { STAGES } from '../api/index.ts'
import { type SourceSharedFacts, sourceSharedTable } from './shared-table.ts'

const facts = (given: Partial<SourceSharedFacts> = {}): SourceSharedFacts => ({
  journal: {},
  evidence: {},
  to: 'hub2',
  hasMultiClusterHub: true,
  decisions: undefined,
  placement: undefined,
  hasCredential: true,
  bootstrapSecret: 'absent',
  klusterletConfig: 'absent',
  ...given,
})
const stageOf = (name: (typeof STAGES)[number]) =>
  sourceSharedTable.stages.find(stage => stage.name === name) ?? assert.fail(name)
const refusal = (name: (typeof STAGES)[number], given: Partial<SourceSharedFacts>) =>
  stageOf(name)
    .guards.map(guard => guard.check(facts(given)))
    .find(({ kind }) => kind !== 'holds')
const missing = (
  name: (typeof STAGES)[number],
  given: Partial<SourceSharedFacts>,
  direction: 'steps' | 'undo' = 'steps',
) =>
  stageOf(name)
    [direction].flatMap(step => step.missing(facts(given)))
    .map(({ kind }) => kind)

test('a source without MultiClusterHub, or a placement that chose nothing, is refused with what to do', () => {
  const withoutHub = refusal('Validating', { hasMultiClusterHub: false })
  assert.ok(withoutHub?.kind === 'fails' && withoutHub.code === 'HubInvalid')
  const empty = refusal('Validating', { placement: 'p', decisions: [] })
  assert.ok(
    empty?.kind === 'fails' && empty.code === 'PlacementEmpty' && /placement p has no decisions/.test(empty.message),
  )
  assert.equal(refusal('Validating', { placement: 'p', decisions: ['c1'] }), undefined)
})

for (const [kind, name] of [
  ['bootstrapSecret', 'Secret bootstrap-hub2'],
  ['klusterletConfig', 'KlusterletConfig migration-hub2'],
] as const)
  test(`a ${name} of somebody else is neither used nor overwritten nor deleted (H-22, H-25)`, () => {
    const given = { [kind]: 'foreign' }
    const verdict = refusal('Initializing', given)
    assert.ok(verdict?.kind === 'fails' && verdict.code === 'NameTaken' && verdict.message.includes(name))
    assert.deepEqual(missing('Initializing', given, 'undo'), [])
    assert.deepEqual(missing('Cleaning', given), [])
    assert.equal(stageOf('Cleaning').proof.check(facts(given)).kind, 'holds')
  })

test('both objects are written, and written again when an earlier migration left them outdated (H-25)', () => {
  assert.deepEqual(missing('Initializing', {}), ['writeBootstrapSecret', 'writeKlusterletConfig'])
  assert.deepEqual(missing('Initializing', { bootstrapSecret: 'outdated', klusterletConfig: 'outdated' }), [
    'writeBootstrapSecret',
    'writeKlusterletConfig',
  ])
  assert.deepEqual(missing('Initializing', { bootstrapSecret: 'ours', klusterletConfig: 'ours' }), [])
})

test('nothing is written before the credential lies ready', () => {
  assert.equal(refusal('Initializing', { hasCredential: false })?.kind, 'waits')
})

test('undo and clean-up take both away, and prove it', () => {
  for (const presence of ['ours', 'outdated'] as const) {
    const left = { bootstrapSecret: presence, klusterletConfig: presence }
    assert.deepEqual(missing('Initializing', left, 'undo'), ['deleteKlusterletConfig', 'deleteBootstrapSecret'])
    assert.deepEqual(missing('Cleaning', left), ['deleteKlusterletConfig', 'deleteBootstrapSecret'])
    assert.equal(stageOf('Initializing').undone.check(facts(left)).kind, 'waits')
    assert.equal(stageOf('Cleaning').proof.check(facts({ klusterletConfig: presence })).kind, 'waits')
  }
  assert.equal(stageOf('Initializing').undone.check(facts()).kind, 'holds')
})
