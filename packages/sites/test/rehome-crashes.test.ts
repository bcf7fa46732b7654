/** A process dies at each of its transactions and calls, just before or just after: the end is the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CrashTime } from '@godwit/simulation'
import { RehomeRig, type RigOptions } from './rehome-rig.ts'

interface End {
  readonly outcome: string | undefined
  readonly rows: readonly (readonly unknown[])[]
  readonly members: readonly (readonly unknown[])[]
  readonly group: readonly unknown[]
  readonly runs: readonly string[]
  readonly violations: readonly string[]
  readonly homes: readonly string[]
  readonly there: readonly unknown[]
  readonly alarms: readonly string[]
}

async function end(rig: RehomeRig): Promise<End> {
  const group = await rig.group()
  return {
    outcome: (await rig.batch()).outcome,
    rows: (await rig.rows()).map(row => [
      row.name,
      row.deployStatus,
      row.managementState,
      row.availability,
      row.ownerEpoch,
      row.errorDescription,
    ]),
    members: (await rig.members()).map(({ outcome, code, wantedEpoch, run }) => [
      outcome,
      code,
      wantedEpoch,
      run?.kind,
    ]),
    group: [group?.['system_leader_id'], group?.['migration_status']],
    runs: rig.subclouds.started.map(({ runId }) => runId).sort(),
    violations: rig.subclouds.violations,
    homes: rig.subclouds.regions.map(region => rig.subclouds.home(region).site),
    there: [...rig.peer.members.values()].map(({ deployStatus, managementState }) => [deployStatus, managementState]),
    alarms: await rig.alarms(),
  }
}

interface Played {
  readonly end: End
  readonly events: number
  readonly crashes: number
}

async function play(
  options: RigOptions,
  crash?: { readonly event: number; readonly when: CrashTime },
): Promise<Played> {
  const rig = await RehomeRig.build(options)
  if (crash) rig.crashAt(crash.event, crash.when)
  rig.start()
  await rig.migrate('op-1')
  await rig.passUntilEnded()
  const { events } = rig
  await rig.pass(60_000)
  rig.stop()
  return { end: await end(rig), events, crashes: rig.crashes }
}

/** Neighbouring events are much alike: of the longer stories every so-manyeth is tried. `GODWIT_EVERY=1` tries all. */
const EVERY = Number(process.env['GODWIT_EVERY'] ?? 0)

const SCENARIOS: Readonly<Record<string, RigOptions & { readonly every: number }>> = {
  'a subcloud is taken in': {
    every: 2,
    subcloud: () => ({ knobs: { stepMs: 500, onlineAfterMs: 3_000 } }),
  },
  'two of three fail, one before and one after its home has changed': {
    every: 17,
    members: 3,
    width: 1,
    subcloud: number => ({
      knobs:
        number === 2
          ? { faults: [{ step: 'update keystone data', kind: 'fail-after' }], stepMs: 100 }
          : { stepMs: 100 },
      simulated: number === 3 ? { bootstrapAddress: '10.0.0.99' } : {},
    }),
  },
}

for (const [name, { every, ...options }] of Object.entries(SCENARIOS))
  describe(`H2, H13: ${name}, whenever the process dies`, () => {
    for (const when of ['before', 'after'] as const)
      test(`just ${when} an event, no playbook runs twice and the end is the same`, async () => {
        const reference = await play(options)
        assert.deepEqual(reference.end.violations, [])
        const first = when === 'before' ? 1 : 2
        for (let event = first; event <= reference.events; event += EVERY || every) {
          const { end: actual, crashes } = await play(options, { event, when })
          assert.deepEqual(actual, reference.end, `died ${when} event ${event} of ${reference.events}`)
          assert.equal(crashes, 1, `nobody died at event ${event}`)
        }
      })
  })
