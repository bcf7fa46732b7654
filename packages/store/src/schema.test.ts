import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { migrateSchema, type SchemaStep } from './schema.ts'
import { openSqlite } from './sqlite.ts'

const first: SchemaStep = { name: 'first', statements: ['create table a (x integer)'] }
const second: SchemaStep = { name: 'second', statements: ['alter table a add column y integer'] }
const memory = () => openSqlite({ path: ':memory:', clock: new VirtualClock() })

test('only missing steps are applied', async () => {
  const database = memory()
  assert.deepEqual(await migrateSchema(database, [first]), ['first'])
  assert.deepEqual(await migrateSchema(database, [first, second]), ['second'])
  assert.deepEqual(await migrateSchema(database, [first, second]), [])
})

test('when one step fails none was made', async () => {
  const database = memory()
  await assert.rejects(migrateSchema(database, [first, { name: 'bad', statements: ['create nonsense'] }]))
  assert.deepEqual(await migrateSchema(database, [first, second]), ['first', 'second'])
})

test('a database of a newer program, or with another step, is refused', async () => {
  const database = memory()
  await migrateSchema(database, [first, second])
  await assert.rejects(migrateSchema(database, [first]), { code: 'SchemaTooNew' })
  const edited = { ...first, statements: ['create table a (x text)'] }
  await assert.rejects(migrateSchema(database, [edited, second]), { code: 'SchemaDiffers' })
})
