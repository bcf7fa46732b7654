/** The operator of nodes as a real process over TLS with the shipped roles, killed with SIGKILL in each stage of a move. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasHeld, summaryOf } from '../../demo/nodes/main.ts'
import { runNodesDemo } from '../../demo/nodes/run.ts'

test('killed in each stage, the operator loses no saved state of any VM', { timeout: 300_000 }, async () => {
  const lines: string[] = []
  const { result, stop } = await runNodesDemo({ items: 8, isKilling: true, log: line => lines.push(line) })
  await stop()
  assert.deepEqual(result.violations, [], lines.join('\n'))
  assert.ok(hasHeld(result))
  assert.equal(result.moved, 4)
  // A stage may pass in one write while the operator is being started again; two are always waited in.
  assert.ok(result.kills >= 2, `${result.kills} kills`)
  assert.equal(result.recoveries, result.kills)
  assert.match(summaryOf(result).join('\n'), /4 of 4 VMs moved .* promises broken +none/s)
})
