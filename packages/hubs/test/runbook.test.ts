import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotations, type ConfigMap, godwit, ocm } from '@godwit/hubs'
import { type KubeObject, resources } from '@godwit/kube'
import { conditionOf, over, withTestbed } from './judging.ts'
import { NAMESPACE, type Testbed } from './testbed.ts'

const readPage = (bed: Testbed) =>
  bed.clients.globalHub.get<ConfigMap>(resources.configMaps, { name: 'm-runbook-000', namespace: NAMESPACE })
const isAccepted = async (bed: Testbed, name: string) =>
  (await bed.clients.hub1.get<KubeObject & { spec?: { hubAcceptsClient?: boolean } }>(ocm.managedClusters, { name }))
    ?.spec?.hubAcceptsClient

test('a rollback that cannot finish leaves the remaining commands, and asking again after it was mended says so', () =>
  withTestbed({ count: 1, deadlines: { Rollbacking: 2_000 } }, async bed => {
    const [name = ''] = bed.names
    bed.fleet.adjust(name, { unreachableHubs: ['hub2'] })
    bed.all()
    await bed.migrate('m', { includedManagedClusters: [name], supportedConfigs: { stageTimeout: '4s' } })
    await bed.until('m', ({ status }) => status?.phase === 'Registering')
    bed.fleet.adjust(name, { unreachableHubs: ['hub1', 'hub2'] })
    const end = await bed.until('m', over)
    assert.equal(end.status?.phase, 'Failed')
    const message = conditionOf(end, 'ResourceRolledBack')?.message ?? ''
    assert.match(message, /the remaining steps, with their commands, are in ConfigMap m-runbook-000/)
    const page = await readPage(bed)
    const text = page?.data?.[name] ?? ''
    assert.match(text, /# 1\. \[to do\] Registering, hub1: set hubAcceptsClient to true/)
    assert.ok(text.includes(`kubectl --context hub2 delete namespaces ${name}`), text)
    assert.ok(text.includes('agent.open-cluster-management.io/klusterlet-config-'), text)
    bed.fleet.adjust(name, { unreachableHubs: [] })
    const metadata = { annotations: { [annotations.request]: 'rollback' } }
    await bed.clients.globalHub.patch(godwit.migrations, { name: 'm', namespace: NAMESPACE }, { metadata })
    await bed.until('m', m => over(m) && conditionOf(m, 'ResourceRolledBack')?.status === 'True', 60_000)
    assert.equal(await isAccepted(bed, name), true)
    assert.match((await readPage(bed))?.data?.['_migration'] ?? '', /nothing is left to do/)
  }))
