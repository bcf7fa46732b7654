import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { systemClock } from '@godwit/ports'
import { openSqlite } from './sqlite.ts'

function fileFor(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'sites.db')
}

test('commits are on the disk before they are acknowledged, behind a write-ahead log', async t => {
  const database = openSqlite({ path: fileFor(t), clock: systemClock })
  t.after(() => database.close())
  const [mode, safety] = await database.transaction(async sql => [
    await sql.all('pragma journal_mode'),
    await sql.all('pragma synchronous'),
  ])
  assert.deepEqual([{ ...mode?.[0] }, { ...safety?.[0] }], [{ journal_mode: 'wal' }, { synchronous: 2 }])
})

test('two that opened one file wait for each other without holding up the process', async t => {
  const path = fileFor(t)
  const [left, right] = [openSqlite({ path, clock: systemClock }), openSqlite({ path, clock: systemClock })]
  t.after(() => Promise.all([left.close(), right.close()]))
  await left.transaction(sql => sql.run('create table counter (n integer)'))
  await left.transaction(sql => sql.run('insert into counter values (0)'))
  const gate = Promise.withResolvers<void>()
  const first = left.transaction(async sql => {
    await gate.promise
    await sql.run('update counter set n = n + 1')
  })
  const second = right.transaction(sql => sql.run('update counter set n = n + 1'))
  gate.resolve()
  await Promise.all([first, second])
  const [row] = await right.transaction(sql => sql.all('select n from counter'))
  assert.equal(row?.['n'], 2)
})

test('a database that stays locked is an error that may be tried again', async t => {
  const path = fileFor(t)
  const left = openSqlite({ path, clock: systemClock })
  const right = openSqlite({ path, clock: systemClock, lockTimeoutMs: 1 })
  t.after(() => Promise.all([left.close(), right.close()]))
  const gate = Promise.withResolvers<void>()
  const first = left.transaction(() => gate.promise)
  await assert.rejects(
    right.transaction(async () => undefined),
    Retryable,
  )
  gate.resolve()
  await first
})

test('what was committed is there when the file is opened anew', async t => {
  const path = fileFor(t)
  const before = openSqlite({ path, clock: systemClock })
  await before.transaction(sql => sql.run('create table kept (n integer)'))
  await before.close()
  const after = openSqlite({ path, clock: systemClock })
  t.after(() => after.close())
  assert.deepEqual(await after.transaction(sql => sql.all('select * from kept')), [])
})

test('after the close every transaction is refused, and none waits for ever', async t => {
  const database = openSqlite({ path: fileFor(t), clock: systemClock })
  await database.close()
  const asked = [1, 2].map(() => database.transaction(sql => sql.nowMs()))
  for (const result of asked) await assert.rejects(result, /not open/)
})
