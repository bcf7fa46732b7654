import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { testedDatabases } from '../../../scripts/testing/databases.ts'
import { insertRow, selectRows, updateRow } from './rows.ts'
import { migrateSchema } from './schema.ts'
import { clearValue, sealedDatabase } from './sealed.ts'

const schema = {
  name: 'boxes',
  statements: [
    'create table box (id integer primary key autoincrement, version integer not null, name text, content text)',
  ],
}
const reversed = (text: string) => [...text].reverse().join('')
const seal = {
  seal: (column: string, clear: string) => `${column}:${reversed(clear)}`,
  open: (column: string, sealed: string) => reversed(sealed.slice(column.length + 1)),
}

for (const { name, make } of testedDatabases)
  test(`${name}: a sealed column is stored sealed, and opened for whoever asks; null stays null`, async t => {
    const inner = (await make(t))(new VirtualClock())
    await migrateSchema(inner, [schema])
    const database = sealedDatabase(inner, ['content'], seal)
    const stored = () => inner.transaction(sql => selectRows(sql, 'box'))
    const row = await database.transaction(sql => insertRow(sql, 'box', { name: 'a', content: 'secret' }))
    assert.deepEqual([clearValue(row, 'name'), clearValue(row, 'content')], ['a', 'secret'])
    assert.equal((await stored())[0]?.['content'], 'content:terces')
    await database.transaction(sql => updateRow(sql, 'box', { id: 1, version: 1 }, { content: 'other' }))
    assert.equal((await stored())[0]?.['content'], 'content:rehto')
    const [read] = await database.transaction(sql => sql.all('select * from box'))
    assert.equal(read && clearValue(read, 'content'), 'other')
    await database.transaction(sql => updateRow(sql, 'box', { id: 1, version: 2 }, { content: null }))
    const [empty] = await database.transaction(sql => selectRows(sql, 'box'))
    assert.equal(empty && clearValue(empty, 'content'), null)
    assert.equal((await stored())[0]?.['content'], null)
  })

for (const { name, make } of testedDatabases)
  test(`${name}: a sealed column is opened when somebody asks for it, and not before`, async t => {
    const inner = (await make(t))(new VirtualClock())
    await migrateSchema(inner, [schema])
    let opened = 0
    const open = (column: string, sealed: string) => {
      opened++
      return seal.open(column, sealed)
    }
    const database = sealedDatabase(inner, ['content'], { ...seal, open })
    await database.transaction(sql => insertRow(sql, 'box', { name: 'a', content: 'secret' }))
    const [row] = await database.transaction(sql => selectRows(sql, 'box'))
    assert.ok(row)
    assert.deepEqual([row['name'], row['content'], opened], ['a', 'content:terces', 0])
    assert.deepEqual([clearValue(row, 'content'), opened], ['secret', 1])
  })
