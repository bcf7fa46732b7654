import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock, VirtualClock } from '@godwit/ports'
import { type TestedDatabase, testedDatabases } from '../../../scripts/testing/databases.ts'
import { migrateSchema, type SchemaStep } from './schema.ts'

const first: SchemaStep = { name: 'first', statements: ['create table a (x integer)'] }
const second: SchemaStep = { name: 'second', statements: ['alter table a add column y integer'] }

for (const tested of testedDatabases) suite(tested)

function suite(tested: TestedDatabase): void {
  test(`${tested.name}: only missing steps are applied`, async t => {
    const database = (await tested.make(t))(new VirtualClock())
    assert.deepEqual(await migrateSchema(database, [first]), ['first'])
    assert.deepEqual(await migrateSchema(database, [first, second]), ['second'])
    assert.deepEqual(await migrateSchema(database, [first, second]), [])
  })

  test(`${tested.name}: when one step fails none was made`, async t => {
    const database = (await tested.make(t))(new VirtualClock())
    await assert.rejects(migrateSchema(database, [first, { name: 'bad', statements: ['create nonsense'] }]))
    assert.deepEqual(await migrateSchema(database, [first, second]), ['first', 'second'])
  })

  test(`${tested.name}: a database of a newer program, or with another step, is refused`, async t => {
    const database = (await tested.make(t))(new VirtualClock())
    await migrateSchema(database, [first, second])
    await assert.rejects(migrateSchema(database, [first]), { code: 'SchemaTooNew' })
    const edited = { ...first, statements: ['create table a (x text)'] }
    await assert.rejects(migrateSchema(database, [edited, second]), { code: 'SchemaDiffers' })
  })

  test(`${tested.name}: several that start at once apply each step once`, async t => {
    const open = await tested.make(t)
    const databases = Array.from({ length: 4 }, () => open(systemClock))
    const applied = await Promise.all(databases.map(database => migrateSchema(database, [first, second])))
    assert.deepEqual(applied.flat(), ['first', 'second'])
  })
}
