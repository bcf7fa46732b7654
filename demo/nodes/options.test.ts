import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNodesOptions } from './options.ts'

test('without options twenty sets run, and the operator is killed', () => {
  assert.deepEqual(parseNodesOptions([]), {
    kind: 'run',
    command: { items: 20, isKilling: true, isJson: false, keep: false },
  })
  assert.deepEqual(parseNodesOptions(['--items', '6', '--no-kill', '--json', '--keep']), {
    kind: 'run',
    command: { items: 6, isKilling: false, isJson: true, keep: true },
  })
})

test('what cannot be is refused with what can', () => {
  for (const items of ['1', '1001', 'many', '-3']) {
    const parsed = parseNodesOptions([`--items=${items}`])
    assert.equal(parsed.kind, 'error')
    assert.match(parsed.text, /from 2 to 1000/)
  }
  assert.equal(parseNodesOptions(['--what']).kind, 'error')
  assert.equal(parseNodesOptions(['--help']).kind, 'help')
})
