import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inShards, parseShard, shareOf } from './shards.ts'

test('the shares of a list are the whole list, each member once', () => {
  const list = Array.from({ length: 10 }, (_, index) => index)
  for (const count of [1, 2, 3, 10, 12]) {
    const shares = Array.from({ length: count }, (_, index) => shareOf(list, { index, count }))
    assert.deepEqual(
      shares.flat().sort((a, b) => a - b),
      list,
    )
  }
})

test('a share is written as K/N', () => {
  assert.deepEqual(parseShard('2/4'), { index: 1, count: 4 })
  for (const text of ['', '0/2', '3/2', '1', '1/0', 'a/b']) assert.throws(() => parseShard(text), /K\/N/)
})

const programOf = (text: string) => ['--input-type=module', '--eval', text]

test('lines of all processes are shown, and their results added up', async () => {
  const lines: string[] = []
  const text = "const shard = process.argv.at(-1); console.log('FAILED ' + shard); console.log('3 passed, 1 failed')"
  const tally = await inShards([...programOf(text), '--'], 2, line => lines.push(line))
  assert.deepEqual(tally, { passed: 6, failed: 2 })
  assert.deepEqual(lines.sort(), ['FAILED 1/2', 'FAILED 2/2'])
})

test('a process that ends without a result is a failure, not nothing', () =>
  assert.rejects(
    inShards([...programOf('process.exit(3)'), '--'], 1, () => undefined),
    /ended with 3 and no result/,
  ))
