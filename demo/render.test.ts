import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { clockText, type DemoView, progressLine, renderTable } from './render.ts'
import { fit, lineOf, oneLine, plain, styled, widthOf } from './render-text.ts'

const view: DemoView = {
  title: '300 clusters from hub1 to hub2',
  phase: 'Deploying',
  elapsedMs: 65_400,
  total: 300,
  stages: [
    { name: 'Validating', done: 300, acting: 0, waiting: 0, failed: 0 },
    { name: 'Deploying', done: 120, acting: 8, waiting: 100, failed: 2 },
    { name: 'Registering', done: 0, acting: 0, waiting: 0, failed: 0 },
  ],
  waitingFor: ['klusterlet of cluster-7 since 4 s'],
  log: ['kill -9 source in Initializing'],
}

test('the table tells phase, time, each stage, what is waited for and what happened', () => {
  assert.deepEqual(renderTable(view, 120), [
    '300 clusters from hub1 to hub2  1:05  Deploying',
    '',
    '  Validating   ████████████████████████████████████████  300/300',
    '  Deploying    ████████████████×▓░░░░░░░░░░░░░·········  120/300    8 acting  100 waiting    2 failed',
    '  Registering  ········································    0/300',
    '',
    '  waits for  klusterlet of cluster-7 since 4 s',
    '',
    '  · kill -9 source in Initializing',
  ])
})

test('the newest news and the first waits are kept when there are many', () => {
  const many = Array.from({ length: 30 }, (_, index) => `entry ${index}`)
  const text = renderTable({ ...view, waitingFor: many, log: many }, 100).join('\n')
  assert.match(text, /waits for {2}entry 3\n.*and 26 more/)
  assert.match(text, /· entry 22\n[\s\S]*· entry 29$/)
  assert.doesNotMatch(text, /· entry 21\n/)
})

const anyText = fc.string({ unit: 'grapheme', maxLength: 60 })
const anyView = fc.record({
  title: anyText,
  phase: fc.constantFrom('Pending', 'Rollbacking'),
  elapsedMs: fc.nat(),
  total: fc.nat(5000),
  stages: fc.array(
    fc.record({
      name: fc.constantFrom('Validating', 'Initializing', 'x'),
      done: fc.nat(6000),
      acting: fc.nat(6000),
      waiting: fc.nat(6000),
      failed: fc.nat(6000),
    }),
    { maxLength: 6 },
  ),
  waitingFor: fc.array(anyText, { maxLength: 8 }),
  log: fc.array(anyText, { maxLength: 20 }),
})

test('no line is ever wider than the terminal, and colour changes nothing but colour', () => {
  fc.assert(
    fc.property(anyView, fc.integer({ min: 20, max: 200 }), (any, width) => {
      const lines = renderTable(any, width)
      for (const line of lines) assert.ok(widthOf(line) <= width, `${widthOf(line)} > ${width}: ${line}`)
      assert.deepEqual(renderTable(any, width, true).map(stripVTControlCharacters), lines)
    }),
  )
})

test('a share that is not zero is seen in the bar', () => {
  const stages = [{ name: 'x', done: 1, acting: 1, waiting: 1, failed: 1 }]
  assert.match(renderTable({ ...view, total: 5000, stages }, 80).join('\n'), /█×▓░·/)
})

test('a progress line holds the stages that were reached and no time', () => {
  assert.equal(
    progressLine(view),
    'Deploying, Validating 300/300, Deploying 120/300 (2 failed), waits for klusterlet of cluster-7 since 4 s',
  )
})

test('time is minutes and seconds', () => {
  assert.deepEqual([-5, 0, 59_999, 60_000, 3_600_000].map(clockText), ['0:00', '0:00', '0:59', '1:00', '60:00'])
})

test('text is cut at the width, wide characters counted as two columns', () => {
  assert.equal(fit('abcdef', 6), 'abcdef')
  assert.equal(fit('abcdef', 4), 'abc…')
  assert.equal(fit('日本語', 6), '日本語')
  assert.equal(fit('日本語', 5), '日本…')
  assert.equal(fit('日本語', 4), '日…')
  assert.equal(fit('abc', 0), '')
})

test('a log line cannot break out of its line', () => {
  assert.equal(oneLine(' a\n\tb\u001b[2J\u001b[31mc\u0007 '), 'a bc')
})

test('pieces after the cut are left out', () => {
  assert.equal(lineOf([plain('abc'), styled('bad', 'def'), plain('ghi')], 5, false), 'abcd…')
})
