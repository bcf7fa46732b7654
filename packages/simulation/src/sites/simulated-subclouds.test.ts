import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { HOME_SWITCH, PLAYBOOK_STEPS, type SimulatedRun } from './playbook-steps.ts'
import { type NewSubcloud, SimulatedSubclouds } from './simulated-subclouds.ts'
import type { StepFault } from './subcloud-knobs.ts'

const atA = { site: 'a', credentials: 'secret-a' }
const atB = { site: 'b', credentials: 'secret-b' }
const subcloud: NewSubcloud = {
  region: 'r1',
  name: 's1',
  bootstrapAddress: '10.0.0.1',
  sysadminPassword: 'pw',
  release: '24.09',
  home: atA,
}
const order: SimulatedRun = {
  runId: 'run-1',
  region: 'r1',
  bootstrapAddress: '10.0.0.1',
  sysadminPassword: 'pw',
  ...atB,
  destinationRelease: '24.09',
}

function setUp(given: Partial<NewSubcloud> = {}) {
  const clock = new VirtualClock(0)
  const subclouds = new SimulatedSubclouds(clock)
  subclouds.add({ ...subcloud, ...given })
  return { clock, subclouds }
}

function played(given: Partial<NewSubcloud>, run: Partial<SimulatedRun> = {}) {
  const { clock, subclouds } = setUp(given)
  subclouds.start({ ...order, ...run })
  clock.advance(60_000)
  return { state: subclouds.run('run-1'), home: subclouds.home('r1').site, subclouds, clock }
}

test('the home changes at the keystone step, not at the end, and only the new site is let in from then on', () => {
  const { clock, subclouds } = setUp({ knobs: { stepMs: 10 } })
  subclouds.start(order)
  const switchMs = 10 * (PLAYBOOK_STEPS.indexOf(HOME_SWITCH) + 1)
  clock.advance(switchMs - 1)
  assert.deepEqual([subclouds.presence('r1', atA), subclouds.presence('r1', atB)], ['online', 'unauthorized'])
  clock.advance(1)
  assert.equal(subclouds.run('run-1')?.kind, 'running')
  assert.deepEqual([subclouds.presence('r1', atA), subclouds.presence('r1', atB)], ['unauthorized', 'online'])
  clock.advance(100)
  assert.deepEqual(subclouds.run('run-1'), { kind: 'succeeded' })
  assert.deepEqual(subclouds.history, [{ atMs: switchMs, region: 'r1', from: 'a', to: 'b', runId: 'run-1' }])
})

test('a target that is not there, is not the one, or may not be moved is left where it is', () => {
  const cases: readonly (readonly [RegExp, Partial<NewSubcloud>, Partial<SimulatedRun>])[] = [
    [/UNREACHABLE.*10\.9\.9\.9/, {}, { bootstrapAddress: '10.9.9.9' }],
    [/UNREACHABLE/, { knobs: { isPoweredOn: false } }, {}],
    [/Invalid\/incorrect password/, {}, { sysadminPassword: 'wrong' }],
    [/the host is of region r1/, {}, { region: 'r2' }],
    [/too old/, { release: '21.12' }, {}],
    [/newer than/, { release: '25.09' }, {}],
    [/management-affecting/, { knobs: { hasManagementAlarm: true } }, {}],
  ]
  for (const [text, given, run] of cases) {
    const { state, home } = played(given, run)
    assert.ok(state?.kind === 'failed' && text.test(state.text), JSON.stringify(state))
    assert.equal(home, 'a')
  }
})

test('a fault before the switch leaves the subcloud at home, one after it has moved the subcloud', () => {
  const cases: readonly (readonly [StepFault, string])[] = [
    [{ step: 'install CA', kind: 'fail' }, 'a'],
    [{ step: HOME_SWITCH, kind: 'fail' }, 'a'],
    [{ step: HOME_SWITCH, kind: 'fail-after' }, 'b'],
    [{ step: 'validate after rehome', kind: 'fail' }, 'b'],
  ]
  for (const [fault, home] of cases) {
    const run = played({ knobs: { faults: [fault] } })
    assert.deepEqual([run.state?.kind, run.home], ['failed', home])
  }
})

test('a run that hangs goes on until it is interrupted; a fault strikes as often as it says', () => {
  const { state, subclouds, clock } = played({ knobs: { faults: [{ step: 'install CA', kind: 'hang' }] } })
  assert.deepEqual(state, { kind: 'running', step: 'install CA' })
  subclouds.interrupt('run-1', 'enough')
  assert.deepEqual(subclouds.run('run-1'), { kind: 'interrupted', reason: 'enough' })
  subclouds.start({ ...order, runId: 'run-2' })
  clock.advance(60_000)
  assert.equal(subclouds.run('run-2')?.kind, 'succeeded')
})

test('a run that is asked for again is joined; two at once on one subcloud are noted', () => {
  const { subclouds, clock } = setUp()
  subclouds.start(order)
  subclouds.start(order)
  assert.deepEqual([subclouds.started.length, subclouds.violations], [1, []])
  subclouds.start({ ...order, runId: 'run-2' })
  assert.match(String(subclouds.violations[0]), /two playbooks of one site run on r1/)
  subclouds.start({ ...order, runId: 'run-3', ...atA })
  assert.match(String(subclouds.violations[1]), /playbooks of two sites run on r1/)
  clock.advance(60_000)
})

test('a subcloud answers late, or never, or not to a site that cannot reach it', () => {
  const late = played({ knobs: { onlineAfterMs: 100_000 } })
  assert.equal(late.subclouds.presence('r1', atB), 'offline')
  late.clock.advance(100_000)
  assert.equal(late.subclouds.presence('r1', atB), 'online')
  assert.equal(played({ knobs: { onlineAfterMs: null } }).subclouds.presence('r1', atB), 'offline')
  const cut = played({ knobs: { unreachableFrom: ['b'] } })
  assert.equal(cut.subclouds.presence('r1', atB), 'offline')
  assert.equal(cut.subclouds.presence('r1', { ...atA, site: 'a' }), 'unauthorized')
})
