import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectOf } from './project.ts'
import { testReferences } from './test-references.ts'

const tests = { 'packages/a/src/a.test.ts': "test('it survives a kill', () => {})" }
const problems = (...rows: string[]) =>
  testReferences.run(
    projectOf({ ...tests, 'docs/hubs-holes.md': ['| Id | Shown by |', '|---|---|', ...rows].join('\n') }),
  )

test('entries that name existing tests, or say why there is none, pass', () => {
  assert.deepEqual(
    problems('| H-01 | `packages/a/src/a.test.ts` “survives a kill” |', '| H-02 | Not ours: there is no broker. |'),
    [],
  )
})

test('a file or a name that does not exist fails, with the place', () => {
  assert.deepEqual(problems('| H-01 | `packages/b.test.ts` “x” |'), [
    'docs/hubs-holes.md:3: H-01 names a test file that does not exist: packages/b.test.ts',
  ])
  assert.deepEqual(problems('| H-01 | `packages/a/src/a.test.ts` “renamed” |'), [
    'docs/hubs-holes.md:3: H-01: no test of packages/a/src/a.test.ts is called “renamed”',
  ])
})

test('an entry without a test, left out, or there twice fails', () => {
  const good = '`packages/a/src/a.test.ts` “survives a kill”'
  assert.match(problems('| H-01 | closed |').join(), /H-01 names no test/)
  assert.deepEqual(problems(`| H-01 | ${good} |`, `| H-03 | ${good} |`), ['docs/hubs-holes.md: after H-1 comes H-3'])
  assert.deepEqual(problems(`| E1 | ${good} |`, `| E1 | ${good} |`), ['docs/hubs-holes.md: after E1 comes E1'])
  assert.deepEqual(problems(), ['docs/hubs-holes.md: has no row with an id'])
})

test('other pages are left alone', () =>
  assert.deepEqual(testReferences.run(projectOf({ 'docs/hubs.md': '| H-01 | nothing |' })), []))
