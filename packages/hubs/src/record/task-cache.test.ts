import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Informer, KubeClient } from '@godwit/kube'
import type { MigrationTask } from '../api/index.ts'
import { TaskCache } from './task-cache.ts'

const task = (uid: string, resourceVersion: string) =>
  ({ metadata: { name: 't', namespace: 'hub1', uid, resourceVersion } }) as unknown as MigrationTask

const isCurrent = (live: MigrationTask | undefined) => {
  const client = { get: async () => live } as unknown as KubeClient
  return new TaskCache({} as Informer<MigrationTask>, client).isCurrent(task('u', '7'))
}

test('a record is current as long as nobody wrote it, deleted it, or made another one of its name', async () => {
  assert.equal(await isCurrent(task('u', '7')), true)
  for (const live of [task('u', '8'), task('other', '7'), undefined]) assert.equal(await isCurrent(live), false)
})
