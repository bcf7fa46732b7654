import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DemoResult, hasSucceeded, renderSummary, summaryJson } from './summary.ts'

const result: DemoResult = {
  items: 60,
  completed: 60,
  failed: 0,
  seconds: 12.34,
  kills: 3,
  recoveries: 3,
  apiCallsPerItem: 41,
  residue: [],
  violations: [],
}

test('the summary tells what arrived, what was killed and what was left', () => {
  assert.deepEqual(renderSummary(result), [
    '60 of 60 clusters moved in 12.3 s, none failed',
    '  killed with SIGKILL   3 processes',
    '  recovered             3 times',
    '  API calls             41.0 for each cluster',
    '  left behind           none',
    '  promises broken       none',
  ])
})

test('residue and broken promises are listed by name, long lists with their rest', () => {
  const residue = Array.from({ length: 25 }, (_, index) => `hub1: Secret s${index}`)
  const text = renderSummary({ ...result, kills: 1, residue, violations: ['c1: is on both hubs'] }).join('\n')
  assert.match(text, /1 process\n/)
  assert.match(text, /left behind {11}25:\n {4}hub1: Secret s0\n[\s\S]*s19\n {4}and 5 more\n/)
  assert.match(text, /promises broken {7}1:\n {4}c1: is on both hubs$/)
})

test('the summary for programs is one line with exactly the agreed members', () => {
  const line = summaryJson({ ...result, residue: ['a\nb'] })
  assert.equal(line.split('\n').length, 1)
  assert.deepEqual(JSON.parse(line), {
    items: 60,
    completed: 60,
    failed: 0,
    seconds: 12.34,
    kills: 3,
    recoveries: 3,
    apiCallsPerItem: 41,
    residue: ['a\nb'],
  })
})

test('a demo succeeds only when everything arrived and every promise held', () => {
  assert.equal(hasSucceeded(result), true)
  assert.equal(hasSucceeded({ ...result, completed: 59 }), false)
  assert.equal(hasSucceeded({ ...result, violations: ['x'] }), false)
  assert.equal(hasSucceeded({ ...result, residue: ['hub1: Secret x/y'] }), false)
})
