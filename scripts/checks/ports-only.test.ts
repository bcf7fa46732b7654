import assert from 'node:assert/strict'
import { test } from 'node:test'
import { portsOnly } from './ports-only.ts'
import { projectOf } from './project.ts'

const problems = (source: string, path = 'packages/engine/src/a.ts') => portsOnly.run(projectOf({ [path]: source }))

for (const source of [
  'Date.now()',
  'const d = new Date()',
  'const d = new Date( )',
  'const d = new Date\n;',
  'performance.now()',
  'process.hrtime.bigint()',
  'Math.random()',
  'crypto.randomUUID()',
  "import { randomBytes } from 'node:crypto'",
  'setTimeout(run, 1)',
  'const later = setInterval',
  'setImmediate(run)',
  'AbortSignal.timeout(5)',
  "import { setTimeout as sleep } from 'node:timers/promises'",
  "await import('timers')",
])
  test(`${JSON.stringify(source)} fails in shipped code`, () => assert.notDeepEqual(problems(source), []))

for (const source of [
  'new Date(epochMs)',
  'const date: Date = new Date(0)',
  'Date.parse(text)',
  'clock.setTimeout(1)',
  '// Date.now() is forbidden',
  "const text = 'Math.random()'",
  'clearTimeout(timer)',
  "import { createHash } from 'node:crypto'",
])
  test(`${JSON.stringify(source)} passes`, () => assert.deepEqual(problems(source), []))

test('a problem names the line and the way out', () => {
  assert.deepEqual(problems('\n\nDate.now()'), [
    'packages/engine/src/a.ts:3: Date.now: take a Clock from @godwit/ports',
  ])
})

test('ports, tests, benches, scripts and the demo may touch the machine', () => {
  for (const path of [
    'packages/ports/src/a.ts',
    'packages/engine/src/a.test.ts',
    'packages/engine/bench/a.ts',
    'scripts/a.ts',
    'demo/a.ts',
    'tests/a.ts',
  ])
    assert.deepEqual(problems('Date.now(); Math.random(); setTimeout(f)', path), [], path)
})

test('key material may be random, its timing may not', () => {
  const path = 'packages/kube-server/src/pki/keys.ts'
  assert.deepEqual(problems('randomBytes(16)', path), [])
  assert.equal(problems('Date.now()', path).length, 1)
})
