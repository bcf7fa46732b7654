import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./bench.ts', import.meta.url))
const bench = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })

test('without a name it lists what can be run', () => {
  const { status, stdout } = bench()
  assert.equal(status, 0)
  assert.match(stdout, /^ {2}kube-server$/m)
  assert.match(stdout, /^ {2}kube-server\/store$/m)
})

test('a name that leads nowhere, or out of the packages, is refused', () => {
  for (const name of ['nothing', '../scripts', 'kube-server/../../scripts/check']) {
    const { status, stderr } = bench(name)
    assert.equal(status, 2)
    assert.match(stderr, /there is no/)
  }
})

test('arguments reach the program', () => {
  const { status, stdout } = bench('kube-server', '--help')
  assert.equal(status, 0)
  assert.match(stdout, /--watchers N/)
})
