import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectOf } from './project.ts'
import { textRules } from './text-rules.ts'

const problems = (path: string, text: string) => textRules.run(projectOf({ [path]: text }))
// Put together here, so that this file itself stays free of what it looks for.
const machinePath = ['', 'work', 'main', 'x'].join('/')
const absentFolder = ['..', 'shared', 'x'].join('/')
const registry = ['registry', 'npmjs', 'org'].join('.')

test('a path of one machine fails, at the start of a line and within one', () => {
  assert.deepEqual(problems('README.md', `first\ncd ${machinePath}`), ['README.md:2: a path of one machine'])
  assert.equal(problems('.ci/run', `${machinePath}/y`).length, 1)
  assert.equal(problems('a.ts', `const a = '${machinePath}'`).length, 1)
})

test('a path that only looks alike passes', () => {
  assert.deepEqual(
    problems('README.md', `see docs${machinePath} and /workdir/a and https://a.example${machinePath}`),
    [],
  )
})

test('a folder outside the clone and a registry fail', () => {
  assert.equal(problems('docs/a.md', `see ${absentFolder}`).length, 1)
  assert.equal(problems('.npmrc', `registry=https://${registry}/`).length, 1)
})

test('a download address fails in the lock file only', () => {
  const line = '"resolved": "https://example.com/a.tgz"'
  assert.equal(problems('package-lock.json', line).length, 1)
  assert.deepEqual(problems('a.json', line), [])
  assert.deepEqual(problems('package-lock.json', '"resolved": "packages/core"'), [])
})

test('files that are not text are not read', () => {
  assert.deepEqual(problems('a.png', machinePath), [])
})
