import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selectFiles } from './selection.ts'

const all = ['packages/hubs/src/b.test.ts', 'packages/hubs/test/a.test.ts', 'demo/a.test.ts', 'tests/c.test.ts']

test('without words every file runs once, those that start processes first', () => {
  assert.deepEqual(selectFiles([...all, ...all], []), [
    'packages/hubs/test/a.test.ts',
    'tests/c.test.ts',
    'demo/a.test.ts',
    'packages/hubs/src/b.test.ts',
  ])
})

test('words pick files by any part of their path', () => {
  assert.deepEqual(selectFiles(all, ['hubs/src', 'demo']), ['demo/a.test.ts', 'packages/hubs/src/b.test.ts'])
  assert.deepEqual(selectFiles(all, ['nowhere']), [])
})
