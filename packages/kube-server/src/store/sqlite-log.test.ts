import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { configMap, keyOf } from '../../test/store-contract/builders.ts'
import { databaseFile, SqliteLog } from './sqlite-log.ts'
import { StoredState } from './stored-state.ts'
import type { StoreEvent } from './types.ts'

describe('the sqlite log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kube-log-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const open = () => new SqliteLog({ folder, openedAt: '2026-01-01T00:00:00Z', lockWaitMs: 0 })

  test('a batch is kept as a whole or not at all, and the next one is none the worse', async () => {
    const added = (name: string, version: number): StoreEvent => {
      const key = keyOf(name)
      const json = JSON.stringify(configMap(key, ''))
      return { type: 'ADDED', version, stored: new StoredState(key, version, json) }
    }
    const log = open()
    const unfit = added('unfit', 1.5)
    await assert.rejects(log.append([added('a', 1), unfit, added('b', 2)]), /cannot store REAL value in INTEGER column/)
    await log.append([added('c', 3), added('d', 4)])
    await log.append([{ ...added('c', 5), type: 'DELETED' }])
    const { version, states } = log.recover()
    assert.deepEqual([version, ...[...states].map(({ key }) => key.name)], [5, 'd'])
    log.close()
  })

  test('the database is in WAL mode', () => {
    open().close()
    const db = new DatabaseSync(join(folder, databaseFile))
    assert.equal(db.prepare('pragma journal_mode').get()?.['journal_mode'], 'wal')
    db.close()
  })
})
