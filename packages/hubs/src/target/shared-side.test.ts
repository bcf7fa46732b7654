import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Terminal } from '@godwit/core'
import { isConflict, KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { systemClock } from '@godwit/ports'
import { prepareHub } from '@godwit/simulation'
import {
  AGENT_NAMESPACE,
  annotations,
  CLUSTER_MANAGER,
  type ClusterManager,
  type MigrationTask,
  ocm,
  registrationBinding,
  subjectAccessReviewRole,
} from '../api/index.ts'
import { look, perform } from './shared-side.ts'
import type { TargetSharedEffect } from './shared-table.ts'

const taskOf = (uid: string): MigrationTask => ({
  apiVersion: 'godwit.dev/v1alpha1',
  kind: 'MigrationTask',
  metadata: { name: 't', namespace: 'hub2' },
  spec: {
    epoch: 1,
    role: 'target',
    peer: 'hub1',
    migration: { name: 'move', namespace: 'ns', uid },
    shared: { stage: 'Initializing', direction: 'Forward', serviceAccount: { name: 'sa', namespace: 'addon' } },
  } as unknown as MigrationTask['spec'],
})
const USER = 'system:serviceaccount:addon:sa'

async function setUp(t: TestContext) {
  const server = await KubeServer.start({ listen: false })
  t.after(() => server.stop())
  const hub = new KubeClient({ transport: server.transport() })
  await prepareHub({ client: hub, clock: systemClock })
  const manager = () => hub.get<ClusterManager>(ocm.clusterManagers, { name: CLUSTER_MANAGER })
  const act = (effect: TargetSharedEffect, uid = 'uid-1', client: KubeClient = hub) =>
    perform({ hub: client }, { task: taskOf(uid), progress: {} } as Parameters<typeof perform>[1], effect)
  const facts = async (uid = 'uid-1') => (await look({ hub }, taskOf(uid))).facts({ journal: {}, evidence: {} })
  return { hub, manager, act, facts }
}

/** A client whose reads of the ClusterManager are overtaken by somebody else's write. */
function overtaken(hub: KubeClient, write: () => Promise<unknown>): KubeClient {
  return new Proxy(hub, {
    get(target, member) {
      const value = Reflect.get(target, member)
      if (typeof value !== 'function') return value
      if (member !== 'get') return value.bind(target)
      return async (...args: Parameters<KubeClient['get']>) => {
        const found = await target.get(...args)
        if (args[0] === ocm.clusterManagers) await write()
        return found
      }
    },
  })
}

test('a change of the ClusterManager between reading and writing is not lost (H-57)', async t => {
  const { hub, manager, act } = await setUp(t)
  const theirs = { spec: { registrationConfiguration: { autoApproveUsers: ['theirs'] } } }
  const racing = overtaken(hub, () => hub.patch(ocm.clusterManagers, { name: CLUSTER_MANAGER }, theirs))
  await assert.rejects(act({ kind: 'approve', user: USER }, 'uid-1', racing), isConflict)
  await act({ kind: 'approve', user: USER })
  assert.deepEqual((await manager())?.spec?.registrationConfiguration?.autoApproveUsers, ['theirs', USER])
  await act({ kind: 'disapprove', user: USER })
  assert.deepEqual((await manager())?.spec?.registrationConfiguration?.autoApproveUsers, ['theirs'])
})

test('what was granted is seen, repeated without harm, and revoked without a trace', async t => {
  const { hub, act, facts } = await setUp(t)
  assert.deepEqual((await facts()).rbac.present, [])
  await act({ kind: 'grant' })
  await act({ kind: 'grant' })
  const { rbac } = await facts()
  assert.deepEqual(rbac.present, rbac.wanted)
  const binding = await hub.get<KubeObject & { roleRef?: { name: string }; subjects?: object[] }>(
    resources.clusterRoleBindings,
    { name: registrationBinding('move') },
  )
  assert.deepEqual(binding?.subjects, [{ kind: 'ServiceAccount', name: 'sa', namespace: 'addon' }])
  await act({ kind: 'revoke' })
  assert.deepEqual((await facts()).rbac.present, [])
})

test('what an earlier migration of the same name left is replaced, with whatever role it pointed to (H-57)', async t => {
  const { hub, act, facts } = await setUp(t)
  await hub.create(resources.clusterRoleBindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: registrationBinding('move'), annotations: { [annotations.migration]: 'earlier' } },
    ...{ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gone' }, subjects: [] },
  })
  await act({ kind: 'grant' })
  const { rbac } = await facts()
  assert.deepEqual(rbac.present, rbac.wanted)
})

test('a role of somebody else under the name of ours is refused, not replaced', async t => {
  const { hub, act } = await setUp(t)
  const foreign = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: subjectAccessReviewRole('move') },
    rules: [],
  }
  await hub.create(resources.clusterRoles, foreign)
  await assert.rejects(
    act({ kind: 'grant' }),
    error => error instanceof Terminal && error.code === 'NameTaken' && /delete it first/.test(error.message),
  )
  await act({ kind: 'revoke' })
  assert.ok(await hub.get(resources.clusterRoles, foreign.metadata))
})

test('another migration does not revoke what this one was granted', async t => {
  const { act, facts } = await setUp(t)
  await act({ kind: 'grant' })
  await act({ kind: 'revoke' }, 'uid-2')
  const { rbac } = await facts()
  assert.deepEqual(rbac.present, rbac.wanted)
})

test('the sealing key is made once, and the one that is there wins', async t => {
  const { hub, act } = await setUp(t)
  await hub.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: AGENT_NAMESPACE } })
  const first = await act({ kind: 'makeSealingKey' })
  assert.deepEqual(await act({ kind: 'makeSealingKey' }), first)
  assert.notDeepEqual(await act({ kind: 'makeSealingKey' }, 'uid-2'), first)
  await act({ kind: 'deleteSealingKey' })
  assert.notDeepEqual(await act({ kind: 'makeSealingKey' }), first)
})
