import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ItemWish, type Progress, STAGE_DEADLINE_MS } from '../api/index.ts'
import type { Observed } from './observe.ts'
import { stepItems } from './step-items.ts'

const wish: ItemWish = {
  stage: 'Cleaning',
  direction: 'Forward',
  outcome: 'Completed',
  residue: ['Timeout: the hub was too slow'],
}

function settledWith(state: Progress['state']) {
  const progress: Progress = { stage: 'Cleaning', direction: 'Forward', entered: true, state, since: 'then' }
  const side = (own: object) => ({ hub: 'hub', wish: undefined, progress: undefined, ...own })
  const observed = {
    migration: { apiVersion: 'v1', kind: 'ManagedClusterMigration', metadata: { name: 'm' } },
    items: [{ name: 'c1', source: side({ wish, progress }), target: side({}), isBundleDelivered: () => false }],
  } as unknown as Observed
  const [item] = stepItems(observed, { stage: 'Retiring', direction: 'Forward' }, 0, STAGE_DEADLINE_MS)
  return item?.step.source.residue
}

test('what was left behind because time was up is named until the agent has cleaned it up after all', () => {
  assert.deepEqual(settledWith('Acting'), wish.residue)
  assert.equal(settledWith('Done'), undefined)
})
