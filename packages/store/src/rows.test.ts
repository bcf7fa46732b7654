import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Retryable } from '@godwit/core'
import { VirtualClock } from '@godwit/ports'
import { type TestedDatabase, testedDatabases } from '../../../scripts/testing/databases.ts'
import { deleteRow, insertRow, insertRows, selectRows, updateRow } from './rows.ts'
import { migrateSchema } from './schema.ts'

const things = {
  name: 'things',
  statements: [
    'create table thing (id integer primary key autoincrement, version integer not null, name text unique, size integer)',
  ],
}

async function setUp(t: TestContext, { make }: TestedDatabase) {
  const database = (await make(t))(new VirtualClock())
  await migrateSchema(database, [things])
  return database
}

for (const tested of testedDatabases) suite(tested)

function suite(tested: TestedDatabase): void {
  test(`${tested.name}: of two writers that saw the same version one is refused, and nothing of his is written`, async t => {
    const database = await setUp(t, tested)
    await database.transaction(sql => insertRow(sql, 'thing', { name: 'a', size: 1 }))
    const seen = { id: 1, version: 1 }
    await database.transaction(sql => updateRow(sql, 'thing', seen, { size: 2 }))
    await assert.rejects(
      database.transaction(sql => updateRow(sql, 'thing', seen, { size: 3 })),
      Retryable,
    )
    await assert.rejects(
      database.transaction(sql => deleteRow(sql, 'thing', seen)),
      Retryable,
    )
    const rows = await database.transaction(sql => selectRows(sql, 'thing', { name: 'a' }))
    assert.deepEqual({ ...rows[0] }, { id: 1, version: 2, name: 'a', size: 2 })
  })

  test(`${tested.name}: many rows are written in their order, each value under its own name`, async t => {
    const database = await setUp(t, tested)
    const rows = Array.from({ length: 123 }, (_, size) =>
      size % 2 ? { name: `n${size}`, size } : { size, name: `n${size}` },
    )
    await database.transaction(sql => insertRows(sql, 'thing', rows))
    await database.transaction(sql => insertRows(sql, 'thing', []))
    const read = await database.transaction(sql => selectRows(sql, 'thing'))
    assert.deepEqual(
      read,
      rows.map(({ name, size }) => ({ id: size + 1, version: 1, name, size })),
    )
  })

  test(`${tested.name}: what a failed transaction wrote is taken back`, async t => {
    const database = await setUp(t, tested)
    const failing = database.transaction(async sql => {
      await insertRow(sql, 'thing', { name: 'a', size: null })
      throw new Error('no')
    })
    await assert.rejects(failing, /^Error: no$/)
    assert.deepEqual(await database.transaction(sql => selectRows(sql, 'thing')), [])
  })

  test(`${tested.name}: transactions that are asked for at once run one after the other`, async t => {
    const database = await setUp(t, tested)
    await database.transaction(sql => insertRow(sql, 'thing', { name: 'a', size: 0 }))
    const grow = () =>
      database.transaction(async sql => {
        const [row] = await selectRows(sql, 'thing', { id: 1 })
        await Promise.resolve()
        await updateRow(sql, 'thing', { id: 1, version: Number(row?.['version']) }, { size: Number(row?.['size']) + 1 })
      })
    await Promise.all(Array.from({ length: 20 }, grow))
    const [row] = await database.transaction(sql => selectRows(sql, 'thing'))
    assert.equal(row?.['size'], 20)
  })

  test(`${tested.name}: a value that is null is found as such`, async t => {
    const database = await setUp(t, tested)
    await database.transaction(sql => insertRow(sql, 'thing', { name: null, size: 7 }))
    const rows = await database.transaction(sql => selectRows(sql, 'thing', { name: null, size: 7 }))
    assert.equal(rows.length, 1)
  })

  test(`${tested.name}: a name that is no identifier never becomes a part of a statement`, async t => {
    const database = await setUp(t, tested)
    await assert.rejects(
      database.transaction(sql => selectRows(sql, 'thing; drop table thing')),
      /is not the name of a table/,
    )
  })

  test(`${tested.name}: an id that was deleted is never given twice`, async t => {
    const database = await setUp(t, tested)
    const add = () => database.transaction(sql => insertRow(sql, 'thing', { name: 'a', size: 1 }))
    const first = await add()
    await database.transaction(sql => deleteRow(sql, 'thing', { id: Number(first['id']), version: 1 }))
    assert.notEqual((await add())['id'], first['id'])
  })
}
