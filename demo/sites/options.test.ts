import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSitesOptions } from './options.ts'

test('without options forty subclouds move', () => {
  assert.deepEqual(parseSitesOptions([]), { kind: 'run', command: { items: 40, isJson: false, keep: false } })
  assert.deepEqual(parseSitesOptions(['--items', '6', '--json', '--keep']), {
    kind: 'run',
    command: { items: 6, isJson: true, keep: true },
  })
})

test('what cannot be is refused with what can', () => {
  for (const items of ['1', '1001', 'many', '-3']) {
    const parsed = parseSitesOptions([`--items=${items}`])
    assert.equal(parsed.kind, 'error')
    assert.match(parsed.text, /from 4 to 1000/)
  }
  assert.equal(parseSitesOptions(['--what']).kind, 'error')
  assert.equal(parseSitesOptions(['--help']).kind, 'help')
})
