import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sitesSchema } from './schema.ts'

test('no table gives an id twice', () => {
  const tables = sitesSchema.flatMap(({ statements }) => statements.filter(text => /^create table/.test(text)))
  const withId = tables.filter(text => /\bid integer primary key\b/.test(text))
  assert.ok(withId.length > 5)
  assert.deepEqual(
    withId.filter(text => !/\bid integer primary key autoincrement\b/.test(text)),
    [],
  )
})
