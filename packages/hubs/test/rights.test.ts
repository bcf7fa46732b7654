import assert from 'node:assert/strict'
import { test } from 'node:test'
import { godwit, type PolicyRule } from '@godwit/hubs'
import { isForbidden, type KubeObject, resources } from '@godwit/kube'
import { residue } from '@godwit/simulation'
import { conditionOf, over, stateOf, withoutImportSecrets, withTestbed } from './judging.ts'
import { type Rights, SHIPPED_RIGHTS, type Testbed } from './testbed.ts'

const without = (rules: readonly PolicyRule[], verb: string, kind: string) =>
  rules
    .map(rule =>
      rule.resources.includes(kind) ? { ...rule, verbs: rule.verbs.filter(other => other !== verb) } : rule,
    )
    .filter(({ verbs }) => verbs.length > 0)

test('the shipped rights suffice for a migration, and for one that is taken back', () =>
  withTestbed({ count: 2, rights: SHIPPED_RIGHTS }, async bed => {
    const [first = '', second = ''] = bed.names
    bed.all()
    await bed.migrate('there', { includedManagedClusters: [first] })
    assert.equal((await bed.until('there', over)).status?.phase, 'Completed')
    bed.fleet.adjust(second, { unreachableHubs: ['hub2'] })
    await bed.migrate('back', { includedManagedClusters: [second] })
    await bed.until('back', ({ status }) => status?.phase === 'Registering')
    await bed.clients.globalHub.delete(godwit.migrations, { name: 'back', namespace: 'multicluster-global-hub' })
    await bed.untilGone('back')
    assert.equal(await bed.ownerOf(second), 'hub1')
    assert.deepEqual(await residue(bed.fleet), [])
  }))

const lacking: readonly (readonly [string, Partial<Rights>, RegExp])[] = [
  [
    'an agent that could not clean up',
    { agentOnHub: without(SHIPPED_RIGHTS.agentOnHub, 'delete', 'klusterletconfigs') },
    /agent of hub hub[12] may not delete klusterletconfigs\.config\.open-cluster-management\.io in all namespaces on hub hub[12]: apply ClusterRole godwit-hubs-agent/,
  ],
  [
    'an agent that could not roll back',
    { agentOnHub: without(SHIPPED_RIGHTS.agentOnHub, 'delete', 'leases') },
    /agent of hub hub[12] may not delete leases\.coordination\.k8s\.io/,
  ],
  [
    'an agent that could not deliver bundles',
    { agentOnGlobalHub: without(SHIPPED_RIGHTS.agentOnGlobalHub, 'create', 'secrets') },
    /agent of hub hub[12] may not create secrets in namespace hub[12] on the global hub: apply Role/,
  ],
  [
    'a controller that could not revoke the token',
    { controller: without(SHIPPED_RIGHTS.controller, 'delete', 'managedserviceaccounts') },
    /the controller may not delete managedserviceaccounts\.authentication\.open-cluster-management\.io .* on the global hub: apply ClusterRole godwit-hubs-controller/,
  ],
]

for (const [who, rights, message] of lacking)
  test(`${who} refuses the migration before anything is changed`, () =>
    withTestbed({ count: 1, rights: { ...SHIPPED_RIGHTS, ...rights } }, async bed => {
      const before = await states(bed)
      bed.all()
      await bed.migrate('m', { includedManagedClusters: [...bed.names] })
      const end = await bed.until('m', over)
      assert.equal(end.status?.phase, 'Failed')
      const condition = conditionOf(end, 'ResourceValidated')
      assert.deepEqual([condition?.status, condition?.reason], ['False', 'PermissionMissing'])
      assert.match(condition?.message ?? '', message)
      assert.deepEqual(await states(bed), before)
    }))

const states = async (bed: Testbed) => {
  const all = await Promise.all([stateOf(bed, 'hub1'), stateOf(bed, 'hub2')])
  return all.map(state => withoutImportSecrets(state))
}

test('with the shipped rights no agent sees what lies in the namespace of another hub, or the list of all', () =>
  withTestbed({ count: 0, rights: SHIPPED_RIGHTS }, async bed => {
    const { globalHub } = bed.clients
    const secret = (namespace: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace },
      stringData: { k: 'v' },
    })
    for (const hub of ['hub1', 'hub2', 'multicluster-global-hub'])
      await globalHub.create<KubeObject>(resources.secrets, secret(hub))
    const agent = bed.client('globalHub', 'hub1')
    const ref = (namespace: string) => ({ name: 's', namespace })
    assert.equal((await agent.get(resources.secrets, ref('hub1')))?.metadata.name, 's')
    const patch = { status: {} }
    const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['read a secret of another hub', () => agent.get(resources.secrets, ref('hub2'))],
      ['read a secret of the controller', () => agent.get(resources.secrets, ref('multicluster-global-hub'))],
      ['list secrets of its own hub', () => agent.list(resources.secrets, { namespace: 'hub1' })],
      ['list all secrets', () => agent.list(resources.secrets)],
      ['list tasks of another hub', () => agent.list(godwit.tasks, { namespace: 'hub2' })],
      ['list all tasks', () => agent.list(godwit.tasks)],
      ['write a task of another hub', () => agent.patch(godwit.tasks, ref('hub2'), patch, { subresource: 'status' })],
      ['write the wish of its own task', () => agent.patch(godwit.tasks, ref('hub1'), { spec: {} })],
      ['create a secret for another hub', () => agent.create(resources.secrets, secret('hub2') as KubeObject)],
      ['delete a secret of its own hub', () => agent.delete(resources.secrets, ref('hub1'))],
      ['see migrations', () => agent.list(godwit.migrations)],
    ]
    for (const [what, attempt] of attempts) await assert.rejects(attempt, isForbidden, what)
  }))
