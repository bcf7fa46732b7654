import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runFiles } from './run-files.ts'

const imports = "import { describe, test } from 'node:test'; import assert from 'node:assert/strict';"

/** Runs the given texts as test files of their own project. */
async function runTexts(t: TestContext, texts: Record<string, string>, names: string[] = [], limitMs = 60_000) {
  const root = mkdtempSync(join(tmpdir(), 'godwit-run-files-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(texts)) writeFileSync(join(root, path), imports + text)
  // The runner of the runner tells its children that they are part of it; these files are a run of their own.
  const context = process.env['NODE_TEST_CONTEXT']
  delete process.env['NODE_TEST_CONTEXT']
  t.after(() => {
    if (context !== undefined) process.env['NODE_TEST_CONTEXT'] = context
  })
  let printed = ''
  const write = (text: string) => {
    printed += text
  }
  const outcome = await runFiles({ root, files: Object.keys(texts), names, concurrency: 2, limitMs, write })
  return { ...outcome, printed }
}

test('files that pass give a dot each and the closing lines of the runner', async t => {
  const { ran, failedFiles, printed } = await runTexts(t, {
    'a.test.mjs': "test('one', () => console.log('noise')); describe('suite', () => { test('two', () => {}) })",
    'b.test.mjs': "test('three', () => {})",
  })
  assert.deepEqual({ ran, failedFiles }, { ran: 3, failedFiles: [] })
  assert.match(printed, /^\.\.\n/)
  assert.match(printed, /ℹ tests 3\n.*ℹ pass 3\nℹ fail 0\n/s)
  assert.doesNotMatch(printed, /noise/)
})

test('what a file says it left out is shown though it passed', async t => {
  const { printed } = await runTexts(t, { 'a.test.mjs': "test('one', () => console.log('LEFT OUT: no kubectl'))" })
  assert.match(printed, /^LEFT OUT: no kubectl$/m)
})

test('a failure names its file, its suite, its place and what was expected, and shows what the file printed', async t => {
  const { failedFiles, printed } = await runTexts(t, {
    'a.test.mjs': "describe('suite', () => {\n test('is two', () => { console.log('noise'); assert.equal(1, 2) }) })",
  })
  assert.deepEqual(failedFiles, ['a.test.mjs'])
  assert.match(printed, /FAIL a\.test\.mjs\n {2}✖ suite › is two {2}\(a\.test\.mjs:2:2\)\n.*1 !== 2/s)
  assert.match(printed, /output:\n\s+noise/)
  assert.match(printed, /ℹ fail 1\n/)
})

test('a file that cannot be loaded fails with its error', async t => {
  const { failedFiles, printed } = await runTexts(t, { 'a.test.mjs': "throw new Error('broken at load')" })
  assert.deepEqual(failedFiles, ['a.test.mjs'])
  assert.match(printed, /process ended with status 1\n.*broken at load/s)
})

test('a file without a test fails, unless tests were picked by name', async t => {
  assert.deepEqual((await runTexts(t, { 'a.test.mjs': '' })).failedFiles, ['a.test.mjs'])
  const picked = await runTexts(t, { 'a.test.mjs': "test('x', () => {})", 'b.test.mjs': "test('y', () => {})" }, [
    '^y$',
  ])
  assert.deepEqual({ ran: picked.ran, failedFiles: picked.failedFiles }, { ran: 1, failedFiles: [] })
})

test('a file that never ends is stopped, and the test it was in is named', async t => {
  const { failedFiles, printed } = await runTexts(t, { 'a.test.mjs': "test('loops', () => { for (;;); })" }, [], 3_000)
  assert.deepEqual(failedFiles, ['a.test.mjs'])
  assert.match(printed, /stopped: the whole run took too long/)
})

test('a file that is held open is ended, with what held it', async t => {
  process.env['GODWIT_TEST_FILE_LIMIT_MS'] = '1500'
  t.after(() => {
    delete process.env['GODWIT_TEST_FILE_LIMIT_MS']
  })
  const { printed } = await runTexts(t, {
    'a.test.mjs': "test('waits', async () => { setInterval(() => {}, 1e6); await new Promise(() => {}) })",
  })
  assert.match(printed, /did not finish: waits/)
  assert.match(printed, /held open by: .*Timeout/)
})

test('property tests draw the same examples in every run', async t => {
  process.env['GODWIT_TEST_SEED'] = '7'
  t.after(() => {
    delete process.env['GODWIT_TEST_SEED']
  })
  const library = import.meta.resolve('fast-check')
  const { failedFiles } = await runTexts(t, {
    'a.test.mjs': `import fc from '${library}'; test('seed', () => assert.equal(fc.readConfigureGlobal().seed, 7))`,
  })
  assert.deepEqual(failedFiles, [])
})
