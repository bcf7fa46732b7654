import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { nextTurn, systemClock } from '@godwit/ports'
import { openSqlite } from './sqlite.ts'

function fileFor(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'sites.db')
}

/** As two processes have it. */
function openTwice(t: TestContext) {
  const path = fileFor(t)
  const [left, right] = [openSqlite({ path, clock: systemClock }), openSqlite({ path, clock: systemClock })]
  t.after(() => Promise.all([left.close(), right.close()]))
  return { left, right }
}

/** A disk whose every write waits for a gate. */
function slowDisk() {
  const gates: PromiseWithResolvers<void>[] = []
  const sync = () => {
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    return gate.promise
  }
  return { gates, sync }
}

async function isPending(result: Promise<unknown>): Promise<boolean> {
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  const pending = Symbol('pending')
  return (await Promise.race([result, Promise.resolve(pending)])) === pending
}

test('a commit is acknowledged when it is on the disk, and so is what has only read it', async t => {
  const { gates, sync } = slowDisk()
  const database = openSqlite({ path: fileFor(t), clock: systemClock, sync })
  t.after(() => database.close())
  const writing = database.transaction(sql => sql.run('create table t (a integer)'))
  assert.ok(await isPending(writing))
  const reading = database.transaction(sql => sql.all('select * from t'))
  assert.ok(await isPending(reading))
  assert.equal(gates.length, 1, 'a reader writes nothing to the disk')
  const later = database.transaction(sql => sql.run('insert into t values (1)'))
  gates[0]?.resolve()
  assert.deepEqual([await writing, await reading], [0, []])
  assert.ok(await isPending(later), 'the first write to the disk had begun before it')
  gates[1]?.resolve()
  assert.equal(await later, 1)
  assert.equal((await database.transaction(sql => sql.all('select * from t'))).length, 1)
  assert.equal(gates.length, 2)
})

test('commits that come while the disk is busy share its next write', async t => {
  const { gates, sync } = slowDisk()
  const database = openSqlite({ path: fileFor(t), clock: systemClock, sync })
  t.after(() => database.close())
  const first = database.transaction(sql => sql.run('create table t (a integer)'))
  assert.ok(await isPending(first))
  const others: Promise<number>[] = []
  for (let a = 0; a < 5; a++) {
    const other = database.transaction(sql => sql.run('insert into t values (?)', [a]))
    others.push(other)
    assert.ok(await isPending(other))
  }
  assert.equal(gates.length, 1)
  gates[0]?.resolve()
  await first
  assert.ok(await isPending(Promise.race(others)))
  gates[1]?.resolve()
  await Promise.all(others)
  assert.equal(gates.length, 2)
})

test('what another process has committed may not be on the disk: who reads it first brings it there', async t => {
  const path = fileFor(t)
  const { gates, sync } = slowDisk()
  const left = openSqlite({ path, clock: systemClock })
  const right = openSqlite({ path, clock: systemClock, sync })
  t.after(() => Promise.all([left.close(), right.close()]))
  const look = () => right.transaction(sql => sql.all('select name from sqlite_schema'))
  const first = look()
  assert.ok(await isPending(first))
  gates[0]?.resolve()
  assert.deepEqual(await first, [])
  assert.deepEqual(await look(), [])
  await left.transaction(sql => sql.run('create table t (a integer)'))
  const second = look()
  assert.ok(await isPending(second))
  gates[1]?.resolve()
  assert.equal((await second).length, 1)
  assert.equal((await look()).length, 1)
  assert.equal(gates.length, 2)
})

test('once the disk has refused, everybody is told, and nothing is begun any more', async t => {
  const { gates, sync } = slowDisk()
  const database = openSqlite({ path: fileFor(t), clock: systemClock, sync })
  t.after(() => database.close())
  const results = [database.transaction(sql => sql.run('create table t (a integer)'))]
  assert.ok(await isPending(results[0] ?? assert.fail()))
  results.push(database.transaction(sql => sql.run('insert into t values (1)')))
  assert.ok(await isPending(results[1] ?? assert.fail()))
  gates[0]?.reject(new Error('the disk is broken'))
  for (const result of results) await assert.rejects(result, /the disk is broken/)
  let hasBegun = false
  const later = database.transaction(async () => {
    hasBegun = true
  })
  await assert.rejects(later, /the disk is broken/)
  assert.deepEqual([hasBegun, gates.length], [false, 1])
})

test('commits go to a write-ahead log', async t => {
  const database = openSqlite({ path: fileFor(t), clock: systemClock })
  t.after(() => database.close())
  const [mode, safety] = await database.transaction(async sql => [
    await sql.all('pragma journal_mode'),
    await sql.all('pragma synchronous'),
  ])
  assert.deepEqual([{ ...mode?.[0] }, { ...safety?.[0] }], [{ journal_mode: 'wal' }, { synchronous: 1 }])
})

test('two that opened one file wait for each other without holding up the process', async t => {
  const { left, right } = openTwice(t)
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

test('a column that another process has added since is there, under its own name', async t => {
  const { left, right } = openTwice(t)
  await left.transaction(sql => sql.run('create table t (a integer, b text)'))
  await left.transaction(sql => sql.run("insert into t values (1, 'x')"))
  const rows = () => left.transaction(sql => sql.all('select *, a + 1 as next from t'))
  assert.deepEqual(await rows(), [{ a: 1, b: 'x', next: 2 }])
  await right.transaction(sql => sql.run("alter table t add column c text default 'y'"))
  assert.deepEqual(await rows(), [{ a: 1, b: 'x', c: 'y', next: 2 }])
})
