/** The judge of a move must find every fault, or its silence says nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { defineResource, type KubeObject, type Resource, resources } from '@godwit/kube'
import { annotations, CLUSTER_MANAGER, ENGINE_NAMESPACE, labels } from '../src/foreign/names.ts'
import { foreign } from '../src/foreign/resources.ts'
import { type Residue, residue, takeSnapshot, verifyMoved } from '../src/index.ts'
import { eventually } from './eventually.ts'
import { startWorld, type World } from './world.ts'

const ZTP = 'cluster-0020'
const PLAIN = 'cluster-0001'

describe('the judge of a move', () => {
  let world: World
  before(async () => {
    world = await startWorld({ count: 20 })
    await eventually('all clusters are in S1', () => world.fleet.census()['S1 hub1'] === 20)
  })
  after(() => world.stop())

  const hub1 = () => world.fleet.client('hub1')
  const global = () => world.fleet.globalClient

  test('clusters that never moved contradict the claim in every respect', async () => {
    const { fleet } = world
    const snapshot = await takeSnapshot(hub1(), [PLAIN, ZTP])
    const found = await verifyMoved(fleet, { names: [PLAIN, ZTP], from: 'hub1', to: 'hub2', snapshot })
    const of = (name: string) => found.filter(({ cluster }) => cluster === name).map(({ what }) => what)
    for (const what of [
      'ManagedCluster is still on hub1',
      'namespace is still on hub1',
      'ManagedCluster is not on hub2',
      'klusterlet is in S1 on hub1, not in T2 on hub2',
      `KlusterletAddonConfig ${PLAIN}/${PLAIN} is not on hub2`,
    ])
      assert.ok(of(PLAIN).includes(what), `${what} in ${of(PLAIN)}`)
    for (const what of [
      `Secret ${ZTP}/${ZTP}-admin-kubeconfig is not on hub2`,
      `Secret ${ZTP}/${ZTP}-host-bmc-secret is not on hub2`,
      `ConfigMap ${ZTP}/${ZTP}-extra-manifests is not on hub2`,
      `ClusterDeployment ${ZTP}/${ZTP} is not on hub2`,
      `ImageClusterInstall ${ZTP}/${ZTP} is not on hub2`,
      `BareMetalHost ${ZTP}/${ZTP}-host is not on hub2`,
    ])
      assert.ok(of(ZTP).includes(what), `${what} in ${of(ZTP)}`)
    assert.deepEqual(await verifyMoved(fleet, { names: [], from: 'hub1', to: 'hub2', snapshot }), [])
  })

  test('an object that arrived changed is told apart from one that arrived equal', async () => {
    const snapshot = await takeSnapshot(hub1(), [ZTP])
    const ref = { name: ZTP, namespace: ZTP }
    await hub1().patch(foreign.clusterDeployments, ref, { spec: { baseDomain: 'example.org' } })
    const claim = { names: [ZTP], from: 'hub2', to: 'hub1', snapshot }
    const differing = (await verifyMoved(world.fleet, claim)).filter(({ what }) => what.includes('differs'))
    assert.deepEqual(differing, [{ cluster: ZTP, what: `ClusterDeployment ${ZTP}/${ZTP} differs on hub1` }])
    await hub1().patch(foreign.clusterDeployments, ref, { spec: { baseDomain: 'example.com' } })
    const pause = { metadata: { annotations: { [annotations.hivePause]: 'true' } } }
    await hub1().patch(foreign.clusterDeployments, ref, pause)
    assert.deepEqual(
      (await verifyMoved(world.fleet, claim)).filter(({ what }) => what.includes('differs')),
      [],
      'a pause is no content',
    )
    await hub1().patch(foreign.clusterDeployments, ref, {
      metadata: { annotations: { [annotations.hivePause]: null } },
    })
  })

  test('something deprovisioned on the way is a fault of the move', async () => {
    const name = 'cluster-0010'
    await hub1().delete(foreign.bareMetalHosts, { name: `${name}-host`, namespace: name })
    await eventually('it is noticed', () => world.fleet.disasters.length === 1)
    const found = await verifyMoved(world.fleet, { names: [name], from: 'hub1', to: 'hub2' })
    assert.ok(found.some(({ what }) => what === `BareMetalHost ${name}-host was deprovisioned by hub1`))
  })

  test('untouched hubs have no residue, and each kind of it is found by name', async () => {
    assert.deepEqual(await residue(world.fleet), [])
    const migrationTasks = defineResource('godwit.dev/v1alpha1', 'MigrationTask', 'migrationtasks', 'Namespaced')
    await global().create(resources.customResourceDefinitions, taskDefinition)
    await eventually('work orders are served', () => global().serves(migrationTasks))
    await global().create(migrationTasks, object(migrationTasks, { name: 'task', namespace: 'hub1' }))
    await global().create(foreign.managedServiceAccounts, {
      ...object(foreign.managedServiceAccounts, { name: 'mover', namespace: 'hub2' }),
      spec: {},
    } as KubeObject)
    await eventually('the token is there', async () =>
      Boolean(await global().get(resources.secrets, { name: 'mover', namespace: 'hub2' })),
    )
    await put(resources.secrets, { name: 'bootstrap-hub2', namespace: ENGINE_NAMESPACE })
    await put(foreign.klusterletConfigs, { name: 'migration-hub2' })
    await put(resources.clusterRoles, { name: 'global-hub-migration-mover-sar' })
    await mark(
      foreign.managedClusters,
      { name: PLAIN },
      {
        [annotations.migrating]: '',
        [annotations.disableAutoImport]: '',
        [annotations.klusterletConfig]: 'migration-hub2',
      },
    )
    await mark(foreign.clusterDeployments, { name: ZTP, namespace: ZTP }, { [annotations.hivePause]: 'true' })
    await mark(foreign.dataImages, { name: `${ZTP}-host`, namespace: ZTP }, { [annotations.metal3Pause]: 'true' })
    const velero = { metadata: { labels: { [labels.veleroRestore]: 'globalhub' } } }
    await hub1().patch(foreign.imageClusterInstalls, { name: ZTP, namespace: ZTP }, velero)
    const users = { spec: { registrationConfiguration: { autoApproveUsers: ['somebody'] } } }
    await hub1().patch(foreign.clusterManagers, { name: CLUSTER_MANAGER }, users)
    const found = await residue(world.fleet)
    assert.deepEqual(
      found.map(nameOf).toSorted(),
      [
        `global-hub MigrationTask hub1/task`,
        `global-hub ManagedServiceAccount hub2/mover`,
        `global-hub Secret hub2/mover`,
        `hub1 ClusterDeployment ${ZTP}/${ZTP}`,
        `hub1 ClusterManager ${CLUSTER_MANAGER}`,
        `hub1 ClusterRole global-hub-migration-mover-sar`,
        `hub1 DataImage ${ZTP}/${ZTP}-host`,
        `hub1 ImageClusterInstall ${ZTP}/${ZTP}`,
        `hub1 KlusterletConfig migration-hub2`,
        `hub1 ManagedCluster ${PLAIN}`,
        `hub1 Secret ${ENGINE_NAMESPACE}/bootstrap-hub2`,
        `hub2 ServiceAccount open-cluster-management-agent-addon/mover`,
      ].toSorted(),
    )
    const cluster = found.find(({ kind }) => kind === 'ManagedCluster')
    for (const key of [annotations.migrating, annotations.disableAutoImport, annotations.klusterletConfig])
      assert.ok(cluster?.what.includes(key), `${key} in ${cluster?.what}`)
  })

  const put = (resource: Resource, metadata: { name: string; namespace?: string }) =>
    hub1().create(resource, {
      ...object(resource, metadata),
      ...(resource.kind === 'KlusterletConfig' && { spec: {} }),
    })
  const mark = (resource: Resource, ref: { name: string; namespace?: string }, wanted: Record<string, string>) =>
    hub1().patch(resource, ref, { metadata: { annotations: wanted } })
})

const nameOf = ({ hub, kind, name }: Residue) => `${hub} ${kind} ${name}`

const object = ({ group, version, kind }: Resource, metadata: { name: string; namespace?: string }): KubeObject => ({
  apiVersion: group ? `${group}/${version}` : version,
  kind,
  metadata,
})

const taskDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'migrationtasks.godwit.dev' },
  spec: {
    group: 'godwit.dev',
    scope: 'Namespaced',
    names: {
      kind: 'MigrationTask',
      listKind: 'MigrationTaskList',
      plural: 'migrationtasks',
      singular: 'migrationtask',
    },
    versions: [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
}
