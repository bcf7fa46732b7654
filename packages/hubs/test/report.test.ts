import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStatus, renderStatus } from '@godwit/hubs'
import { over, withTestbed } from './judging.ts'
import { NAMESPACE } from './testbed.ts'

test('the status of a migration shows each cluster while it moves, and how it ended when the tasks are gone', () =>
  withTestbed({ count: 2, knobs: { overrides: { 'cluster-0002': { neverAppliesConfig: true } } } }, async bed => {
    const read = () => readStatus(bed.clients.globalHub, { name: 'm', namespace: NAMESPACE })
    assert.equal(await read(), undefined)
    bed.all()
    await bed.migrate('m', { includedManagedClusters: [...bed.names], supportedConfigs: { stageTimeout: '8s' } })
    await bed.until('m', ({ status }) => status?.clusters?.initializing === 1 && (status.waitingFor ?? []).length > 0)
    const during = await read()
    assert.deepEqual(
      during?.clusters.map(({ cluster }) => cluster),
      [...bed.names],
    )
    assert.match(during ? renderStatus(during) : '', /waits for .* since [\s\S]*next: /)
    const end = await bed.until('m', over)
    assert.deepEqual([end.status?.progress?.settled, end.status?.progress?.percent], [2, 100])
    const after = await read()
    assert.deepEqual(after?.clusters, [])
    assert.match(after?.report['cluster-0001'] ?? '', /^completed/)
    assert.match(after?.report['cluster-0002'] ?? '', /^failed .*Initializing: Timeout/)
    assert.match(after ? renderStatus(after) : '', /cluster-0002 {2}failed/)
  }))
