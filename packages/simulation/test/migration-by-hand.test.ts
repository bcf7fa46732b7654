import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { resources } from '@godwit/kube'
import { annotations, crdsWorkName, klusterletWorkName, roles } from '../src/foreign/names.ts'
import { foreign } from '../src/foreign/resources.ts'
import type { ManifestWork, RoleBinding } from '../src/foreign/types.ts'
import type { ImportControllerMode } from '../src/hub/context.ts'
import { requestToken } from '../src/hub/service-account-token.ts'
import { renderKlusterlet, renderKlusterletCrds } from '../src/import/klusterlet-manifests.ts'
import { residue, takeSnapshot, verifyMoved } from '../src/index.ts'
import { renderKubeconfig } from '../src/klusterlet/kubeconfig.ts'
import { eventually } from './eventually.ts'
import { Operator } from './operator.ts'
import { startWorld, type World } from './world.ts'

const MOVED_KINDS = [
  resources.secrets,
  resources.configMaps,
  foreign.klusterletAddonConfigs,
  foreign.bareMetalHosts,
  foreign.hostFirmwareSettings,
  foreign.firmwareSchemas,
  foreign.hostFirmwareComponents,
  foreign.imageClusterInstalls,
  foreign.clusterDeployments,
]

describe('a migration by hand', { concurrency: false }, () => {
  const worlds: World[] = []
  after(() => Promise.all(worlds.map(world => world.stop())))

  async function start(importControllerMode: ImportControllerMode, count: number): Promise<World> {
    const world = await startWorld({ count, hub: { importControllerMode } })
    worlds.push(world)
    return world
  }

  for (const mode of ['legacy', 'readOnly', 'frozen'] as const)
    test(`twenty clusters end on the target's own bootstrap, import controller ${mode}`, async () => {
      const { fleet, names } = await start(mode, 20)
      const operator = new Operator(fleet, names, ['hub1', 'hub2'])
      await operator.untilIn('S1', 'hub1')
      const snapshot = await takeSnapshot(operator.source, names)
      const kubeconfig = await operator.makeCredential()
      await operator.openTarget()
      await operator.announceTarget(kubeconfig)
      await operator.untilDelivered()
      // A careful person gives the agents time to start with it.
      await operator.untilIn('S2', 'hub1')
      await operator.annotate(operator.source, { [annotations.disableAutoImport]: '' })
      await operator.pauseProvisioning()
      await operator.copyToTarget(MOVED_KINDS)
      await operator.setAccepted(operator.source, false)
      await operator.untilAvailableOnTarget()
      if (mode !== 'legacy') await operator.untilIn('T1', 'hub2')
      await operator.annotate(operator.target, { [annotations.disableAutoImport]: null })
      await operator.untilIn('T2', 'hub2')
      await operator.cleanSource()
      await operator.untilGoneFromSource()
      await operator.revoke()
      const claim = { names, from: 'hub1', to: 'hub2', snapshot }
      await eventually('nothing contradicts the move', async () => (await verifyMoved(fleet, claim)).length === 0)
      await eventually('nothing temporary is left', async () => (await residue(fleet)).length === 0)
      for (const name of names) {
        const visited = fleet.klusterlet(name)?.history.map(entry => entry.label) ?? []
        for (const label of ['S1', 'S2', 'B1', 'T1', 'B2', 'T2'] as const)
          assert.ok(visited.includes(label), `${name}: ${visited}`)
      }
      assert.ok([...snapshot.keys()].some(key => key.startsWith('ClusterDeployment ')))
    })

  test('hold-back before delivery starves the clusters of the configuration, and refusal strands them', async () => {
    const { fleet, names } = await start('frozen', 5)
    const operator = new Operator(fleet, names, ['hub1', 'hub2'])
    await operator.untilIn('S1', 'hub1')
    await operator.annotate(operator.source, { [annotations.disableAutoImport]: '' })
    await eventually('works are frozen', () => areReadOnly(operator))
    await operator.announceTarget(await operator.makeCredential())
    await operator.setAccepted(operator.source, false)
    await operator.untilIn('SX', 'hub1')
    const work = await operator.source.get<ManifestWork>(foreign.manifestWorks, workRef(names[0] ?? ''))
    assert.ok(!work?.spec.workload?.manifests?.some(manifest => manifest.metadata.name === 'bootstrap-hub2'))
    await operator.setAccepted(operator.source, true)
    await operator.untilIn('S1', 'hub1')
  })

  test('refusal before delivery strands the clusters until the late configuration frees them', async () => {
    const { fleet, names } = await start('legacy', 5)
    const operator = new Operator(fleet, names, ['hub1', 'hub2'])
    await operator.untilIn('S1', 'hub1')
    const kubeconfig = await operator.makeCredential()
    await operator.openTarget()
    await operator.copyToTarget([])
    await operator.setAccepted(operator.source, false)
    await operator.untilIn('SX', 'hub1')
    // The works are still served while they exist, so the way out stays open.
    await operator.announceTarget(kubeconfig)
    await operator.untilAvailableOnTarget()
  })

  test('without import controllers the operator delivers both configurations', async () => {
    const { fleet, names } = await start('absent', 3)
    const operator = new Operator(fleet, names, ['hub1', 'hub2'])
    await operator.untilIn('S1', 'hub1')
    const kubeconfig = await operator.makeCredential()
    await operator.openTarget()
    const own = (name: string) => ownBootstrap(fleet, operator.from, name)
    for (const name of names) {
      const severalHubs = { bootstraps: [{ name: 'bootstrap-hub2', data: kubeconfig }], isCurrentHubIncluded: true }
      await putWorks(operator.source, name, renderKlusterlet({ cluster: name, own: await own(name), severalHubs }))
    }
    await operator.untilDelivered()
    await operator.copyToTarget([foreign.klusterletAddonConfigs])
    await operator.setAccepted(operator.source, false)
    await operator.untilIn('T1', 'hub2')
    for (const name of names) {
      const bootstrap = await ownBootstrap(fleet, operator.to, name)
      await putWorks(operator.target, name, renderKlusterlet({ cluster: name, own: bootstrap }))
    }
    await operator.untilIn('B2', 'hub2')
    await approveAll(operator)
    await operator.untilIn('T2', 'hub2')
  })
})

const workRef = (name: string) => ({ name: klusterletWorkName(name), namespace: name })

async function areReadOnly({ source, names }: Operator): Promise<boolean> {
  const works = await Promise.all(names.map(name => source.get<ManifestWork>(foreign.manifestWorks, workRef(name))))
  return works.every(work => (work?.spec.manifestConfigs?.length ?? 0) > 0)
}

async function putWorks(
  client: Operator['source'],
  cluster: string,
  manifests: ReturnType<typeof renderKlusterlet>,
): Promise<void> {
  const work = (name: string, content: typeof manifests, propagationPolicy: 'Orphan' | 'Foreground'): ManifestWork => ({
    apiVersion: 'work.open-cluster-management.io/v1',
    kind: 'ManifestWork',
    metadata: { name, namespace: cluster },
    spec: { workload: { manifests: content }, deleteOption: { propagationPolicy } },
  })
  await client.create(foreign.manifestWorks, work(crdsWorkName(cluster), renderKlusterletCrds(), 'Foreground'))
  await client.create(foreign.manifestWorks, work(klusterletWorkName(cluster), manifests, 'Orphan'))
}

/** A bootstrap for one cluster, as a person makes it on a hub without import controller. */
async function ownBootstrap(fleet: Operator['fleet'], hub: string, cluster: string): Promise<string> {
  const client = fleet.client(hub)
  const account = { name: 'cluster-bootstrap', namespace: cluster }
  await client.create(resources.serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account })
  await client.create<RoleBinding>(resources.clusterRoleBindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `bootstrap-${cluster}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roles.bootstrapAcm },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  })
  const { token } = await requestToken(client, account, 3600)
  const { server, caData } = fleet.access(hub)
  return Buffer.from(renderKubeconfig({ server, caData, contextCluster: 'default-cluster', token })).toString('base64')
}

async function approveAll({ fleet, target, names }: Operator): Promise<void> {
  for (const name of names)
    await eventually(`${name} asked for a certificate`, async () => {
      const { items } = await target.list(resources.certificateSigningRequests)
      const pending = items.find(
        csr =>
          csr.metadata.name.startsWith(`${name}-`) &&
          !(csr as { status?: { certificate?: string } }).status?.certificate,
      )
      if (pending) await fleet.approve('hub2', pending.metadata.name)
      return pending !== undefined
    })
}
