import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTO_APPROVAL_GATE, annotations, CLUSTER_MANAGER, type ClusterManager } from '../api/index.ts'
import { type ApprovalPatch, approve, disapprove, isApproving, reliesOn } from './auto-approval.ts'

interface Registration {
  readonly autoApproveUsers?: readonly string[]
  readonly featureGates?: readonly { readonly feature: string; readonly mode?: string }[]
}

const manager = (registrationConfiguration: Registration = {}, own: Record<string, string> = {}): ClusterManager => ({
  apiVersion: 'operator.open-cluster-management.io/v1',
  kind: 'ClusterManager',
  metadata: { name: CLUSTER_MANAGER, annotations: own },
  spec: { registrationConfiguration },
})

/** As the API server would apply the merge patch. */
function patched(before: ClusterManager, patch: ApprovalPatch | undefined): ClusterManager {
  if (!patch) return before
  const present = (object: object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
  return manager(
    present({ ...before.spec?.registrationConfiguration, ...patch.spec.registrationConfiguration }),
    present({ ...before.metadata.annotations, ...patch.metadata.annotations }) as Record<string, string>,
  )
}

const gate = (mode: string) => ({ feature: AUTO_APPROVAL_GATE, mode })
const other = { feature: 'ResourceCleanup', mode: 'Enable' }

const BEFORE: readonly (readonly [string, Registration])[] = [
  ['nothing is configured', {}],
  ['the gate is off', { featureGates: [gate('Disable'), other] }],
  ['the gate is on', { featureGates: [other, gate('Enable')] }],
  ['others are listed', { autoApproveUsers: ['somebody'], featureGates: [other] }],
  ['the user is listed already', { autoApproveUsers: ['u'] }],
]
for (const [what, before] of BEFORE)
  test(`approval comes and goes without a trace when ${what}`, () => {
    const on = patched(manager(before), approve(manager(before), 'u'))
    assert.ok(isApproving(on, 'u'))
    assert.deepEqual(patched(on, approve(on, 'u')), on, 'asked twice changes nothing')
    const off = patched(on, disapprove(on, 'u'))
    assert.deepEqual(off, manager(before))
    assert.equal(disapprove(off, 'u'), undefined)
  })

test('the last of several migrations to one hub puts everything back, in whichever order they come and go (H-45)', () => {
  const users = ['u1', 'u2', 'u3']
  const step = fc.record({ user: fc.constantFrom(...users), on: fc.boolean() })
  fc.assert(
    fc.property(fc.constantFrom(...BEFORE), fc.array(step, { maxLength: 20 }), ([, before], steps) => {
      let now = manager(before)
      const relying = new Set<string>()
      for (const { user, on } of steps) {
        now = patched(now, on ? approve(now, user) : disapprove(now, user))
        if (on) relying.add(user)
        else relying.delete(user)
        for (const each of users) assert.equal(isApproving(now, each), relying.has(each))
      }
      for (const user of users) now = patched(now, disapprove(now, user))
      assert.deepEqual(now, manager(before))
    }),
  )
})

test('a gate that somebody switched off meanwhile stays off, and users they listed stay listed', () => {
  const on = patched(manager(), approve(manager(), 'u'))
  const edited = manager(
    { autoApproveUsers: ['u', 'theirs'], featureGates: [gate('Disable')] },
    on.metadata.annotations,
  )
  assert.equal(isApproving(edited, 'u'), false)
  assert.deepEqual(
    patched(edited, disapprove(edited, 'u')),
    manager({ autoApproveUsers: ['theirs'], featureGates: [gate('Disable')] }),
  )
})

test('approval that nobody remembers is not taken away: somebody else gave it', () => {
  const theirs = manager({ autoApproveUsers: ['u'], featureGates: [gate('Enable')] })
  assert.equal(reliesOn(theirs, 'u'), false)
  assert.equal(disapprove(theirs, 'u'), undefined)
})

test('a record that cannot be read counts as none', () => {
  for (const text of ['', '{}', 'null', '{"gate":1,"users":{}}']) {
    const odd = manager({ autoApproveUsers: ['u'] }, { [annotations.autoApproval]: text })
    assert.equal(disapprove(odd, 'u'), undefined)
    assert.ok(isApproving(patched(odd, approve(odd, 'u')), 'u'))
  }
})
