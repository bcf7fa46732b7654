import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileRules } from './file-rules.ts'
import { projectOf } from './project.ts'

const problems = (path: string, source = '') => fileRules.run(projectOf({ [path]: source }))

test('names in kebab-case pass', () => {
  for (const path of [
    'README.md',
    'docs/adr/0001-epochs.md',
    'packages/a/src/status-error.test.ts',
    '.ci/run',
    'a/_x.yaml',
  ])
    assert.deepEqual(problems(path), [], path)
})

test('names in another case fail', () => {
  for (const path of ['src/statusError.ts', 'src/StatusError.ts', 'src/status_error.ts', 'docs/Readme.md'])
    assert.match(problems(path).join(), /not in kebab-case/, path)
})

test('names that say nothing fail, as files and as folders', () => {
  for (const path of [
    'src/utils.ts',
    'src/helpers.test.ts',
    'src/common/a.ts',
    'src/misc.mjs',
    'src/info.ts',
    'data/a.yaml',
  ])
    assert.match(problems(path).join(), /says nothing/, path)
})

test('a file of more than 500 lines fails, one of 500 passes', () => {
  assert.deepEqual(problems('a.ts', 'x()\n'.repeat(500)), [])
  assert.match(problems('a.ts', 'x()\n'.repeat(501)).join(), /a\.ts:501: 501 lines/)
  assert.deepEqual(problems('a.generated.ts', 'x()\n'.repeat(501)), [])
})

test('escapes from the type checker fail', () => {
  for (const source of [
    'f(x as any)',
    'let x: any',
    'type X = Map<string, any>',
    'let x: any[] = []',
    'let x: string | any',
  ])
    assert.match(problems('a.ts', source).join(), /any: say what it is/, source)
  for (const source of [
    'const company = { any: 1 }',
    'expect(x).any()',
    '// any value',
    'match: { all, any: list }',
    'f(a, any.b)',
  ])
    assert.deepEqual(problems('a.ts', source), [], source)
})

test('comments that silence a tool or leave work open fail, the same words in strings pass', () => {
  for (const words of ['@ts-ignore', '@ts-nocheck', 'biome-ignore lint', 'TODO later', 'FIXME']) {
    assert.equal(problems('a.ts', `x()\n// ${words}`).length, 1, words)
    assert.deepEqual(problems('a.ts', `x('${words}')`), [], words)
  }
})

test('tests that are alone or left out fail', () => {
  for (const source of [
    "test.only('x', f)",
    "describe.skip('x', f)",
    "it.todo('x')",
    "test('x', { skip: true }, f)",
    "test('x', { todo: 'later' }, f)",
    "t.skip('not here')",
  ])
    assert.match(problems('a.test.ts', source).join(), /alone or left out/, source)
  assert.deepEqual(problems('a.test.ts', "test('x', { skip: list.length === 0 }, f)"), [])
  assert.deepEqual(problems('a.ts', 'page({ skip: true })'), [])
})
