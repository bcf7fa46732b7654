import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUsers } from './users-file.ts'

test('users come from YAML and from JSON alike', () => {
  const expected = [{ name: 'dev', token: '0123456789abcdef', groups: ['team'] }]
  assert.deepEqual(parseUsers('- {name: dev, token: 0123456789abcdef, groups: [team]}'), expected)
  assert.deepEqual(parseUsers(JSON.stringify(expected)), expected)
})

test('a bad entry is named, its token never shown', () => {
  const wrong: [string, RegExp][] = [
    ['{}', /must be a list/],
    ['- 5', /user 1: must be/],
    ['- {token: 0123456789abcdef}', /user 1: name/],
    ['- {name: a, token: short}', /user 1: token must be a text of at least 16/],
    ['- {name: a, token: 0123456789abcdef, groups: 5}', /groups/],
    ['- {name: admin, token: 0123456789abcdef}', /"admin" is taken/],
    ['- {name: a, token: 0123456789abcdef}\n- {name: a, token: 0123456789abcdef}', /user 2: the name "a" is taken/],
  ]
  for (const [text, message] of wrong) assert.throws(() => parseUsers(text), message)
  assert.throws(
    () => parseUsers('- {name: a, token: short}'),
    (error: Error) => !error.message.includes('short"'),
  )
})
