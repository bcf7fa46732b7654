import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { dataOf, keyOf, line, put, remove } from '../../test/store-contract/builders.ts'
import { testLists } from '../../test/store-contract/list-contract.ts'
import { testRandomHistories } from '../../test/store-contract/random-histories.ts'
import { testWatches } from '../../test/store-contract/watch-contract.ts'
import { testWrites } from '../../test/store-contract/write-contract.ts'
import { StoreOpenError, WriteFailed } from './errors.ts'
import { databaseFile } from './sqlite-log.ts'
import { type SqliteStoreOptions, sqliteStore } from './sqlite-store.ts'
import { type Store, VersionExpired } from './types.ts'

describe('the sqlite store', () => {
  const root = mkdtempSync(join(tmpdir(), 'kube-store-'))
  after(() => rmSync(root, { recursive: true, force: true }))
  let folders = 0
  const freshFolder = () => join(root, `store-${folders++}`)
  const openIn = (folder: string, options?: Partial<SqliteStoreOptions>) =>
    sqliteStore({ clock: new VirtualClock(), lockWaitMs: 0, folder, ...options })
  const open = (options?: Partial<SqliteStoreOptions>) => openIn(freshFolder(), options)
  const refusal = (folder: string): StoreOpenError => {
    try {
      openIn(folder)
    } catch (error) {
      if (error instanceof StoreOpenError) return error
    }
    throw new assert.AssertionError({ message: 'the folder was not refused with a StoreOpenError' })
  }

  testWrites(open)
  testLists(open)
  testWatches(open)
  testRandomHistories(open, { runs: 20 })

  test('a reopened store shows what was durable and goes on counting after the last deletion', async () => {
    const folder = freshFolder()
    const first = openIn(folder)
    await put(first, keyOf('kept'), 'value "with" \u0000 and ✓ and \ud800')
    await put(first, keyOf('gone'), '1')
    await put(first, keyOf('secret', '', 'secrets'), '2')
    await remove(first, keyOf('gone'))
    const before = first.list('configmaps', {})
    await first.close()
    const second = openIn(folder)
    assert.equal(second.version, 4)
    assert.deepEqual(second.list('configmaps', {}).items.map(line), before.items.map(line))
    assert.equal(second.get(keyOf('kept'))?.json, before.items[0]?.json)
    assert.equal(dataOf(second.get(keyOf('secret', '', 'secrets'))), '2')
    assert.equal((await put(second, keyOf('new'), '3')).version, 5)
    await second.close()
  })

  test('after a restart older versions have expired: for watches, exact lists and continue tokens', async () => {
    const folder = freshFolder()
    const first = openIn(folder)
    for (const name of ['a', 'b', 'c']) await put(first, keyOf(name), '1')
    const { next = '' } = first.list('configmaps', { limit: 1 })
    await first.close()
    const second = openIn(folder)
    assert.throws(() => second.watch('configmaps', 2, () => undefined), VersionExpired)
    assert.throws(() => second.watch('never seen', 2, () => undefined), VersionExpired)
    assert.throws(() => second.list('configmaps', { exactVersion: 2 }), VersionExpired)
    assert.throws(() => second.list('configmaps', { continue: next }), VersionExpired)
    const seen: number[] = []
    second.watch('configmaps', 3, event => seen.push(event.version))
    await put(second, keyOf('d'), '1')
    assert.deepEqual(seen, [4])
    assert.equal(second.list('configmaps', { exactVersion: 3 }).items.length, 3)
    await second.close()
  })

  test('a folder belongs to one server; the refusal names the holder and what to do', async () => {
    const folder = freshFolder()
    const first = openIn(folder)
    const error = refusal(folder)
    assert.equal(error.problem, 'InUse')
    assert.match(
      error.message,
      new RegExp(`in use by process ${process.pid} since 2026-01-01T00:00:00Z; stop that server`),
    )
    await put(first, keyOf('a'), '1')
    await first.close()
    const second = openIn(folder)
    assert.equal(dataOf(second.get(keyOf('a'))), '1')
    await second.close()
  })

  test('a full disk rejects the writes, takes head back, keeps serving, and heals when there is room', async () => {
    const folder = freshFolder()
    const small = openIn(folder, { maxFileBytes: 200_000 })
    const kept = await put(small, keyOf('kept'), '1')
    const big = 'x'.repeat(300_000)
    const results = await Promise.allSettled([
      put(small, keyOf('big'), big),
      put(small, keyOf('kept'), 'on top of it'),
      small.mutate(keyOf('big'), current => ({ unchanged: current })),
    ])
    for (const result of results) {
      assert.ok(result.status === 'rejected' && result.reason instanceof WriteFailed)
      assert.match(result.reason.message, /database or disk is full\); make room/)
    }
    assert.equal(small.get(keyOf('kept')), kept)
    assert.equal(small.head(keyOf('kept')), kept)
    assert.equal(small.head(keyOf('big')), undefined)
    const next = await put(small, keyOf('kept'), '2')
    assert.ok(next.version > 3, 'versions of failed writes are not used again')
    await small.close()
    const roomy = openIn(folder)
    assert.deepEqual(roomy.list('configmaps', {}).items.map(line), [line(next)])
    await put(roomy, keyOf('big'), big)
    await roomy.close()
  })

  test('a folder opens although no note of its holder can be left', async () => {
    const folder = freshFolder()
    mkdirSync(join(folder, 'store.holder', 'in the way'), { recursive: true })
    const store = openIn(folder)
    assert.match(refusal(folder).message, /in use by another process; stop that server/)
    await store.close()
  })

  test('a newer schema is refused untouched', async () => {
    const folder = freshFolder()
    await openIn(folder).close()
    setSchemaVersion(folder, 99)
    const error = refusal(folder)
    assert.equal(error.problem, 'NewerSchema')
    assert.match(error.message, /schema 99, this one knows 1\); start that version/)
    setSchemaVersion(folder, 1)
    await openIn(folder).close()
  })

  test('a database of another program and a file that is no database are refused', async () => {
    const foreign = freshFolder()
    await openIn(foreign).close()
    rmSync(join(foreign, databaseFile))
    const db = new DatabaseSync(join(foreign, databaseFile))
    db.exec('create table theirs (id integer)')
    db.close()
    assert.equal(refusal(foreign).problem, 'Foreign')
    writeFileSync(join(foreign, databaseFile), 'not a database at all, but long enough to look like one'.repeat(100))
    assert.equal(refusal(foreign).problem, 'Foreign')
  })

  test('a folder that cannot be made is reported with its path', () => {
    writeFileSync(join(root, 'file'), '')
    const error = refusal(join(root, 'file', 'store'))
    assert.equal(error.problem, 'Unreadable')
    assert.match(error.message, /cannot open the store in .*file.store/)
  })

  test('the folder is readable by its owner only', async () => {
    const folder = freshFolder()
    const store = openIn(folder)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    await store.close()
    chmodSync(folder, 0o755)
    await openIn(folder).close()
    assert.equal(statSync(folder).mode & 0o777, 0o755, 'a folder that was there keeps its mode')
  })

  test('a reopened store holds what random writers were told', async () => {
    const folder = freshFolder()
    let store: Store = openIn(folder)
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 300 }, (_, index) => {
        const key = keyOf(`n${(index * 7) % 40}`)
        return index % 5 === 0 ? remove(store, key) : put(store, key, `${round}-${index}`)
      })
      await Promise.all(writes)
      const before = store.list('configmaps', {})
      await store.close()
      store = openIn(folder)
      const { items, version } = store.list('configmaps', {})
      assert.deepEqual([items.map(line), version], [before.items.map(line), before.version])
    }
    await store.close()
  })
})

function setSchemaVersion(folder: string, version: number): void {
  const db = new DatabaseSync(join(folder, databaseFile))
  db.exec(`pragma user_version = ${version}`)
  db.close()
}
