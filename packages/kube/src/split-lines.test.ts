import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitLines } from './split-lines.ts'

async function split(chunks: readonly Buffer[], maxChars?: number): Promise<string[]> {
  const lines: string[] = []
  for await (const line of splitLines(
    (async function* () {
      yield* chunks
    })(),
    maxChars,
  ))
    lines.push(line)
  return lines
}

test('lines come out whole however the bytes were cut, also inside a character', async () => {
  const line = fc.string({ unit: 'grapheme' }).map(text => text.replaceAll(/[\r\n]/g, ''))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(40)), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map(text => `${text}\n`).join(''))
      const chunks: Buffer[] = []
      let from = 0
      for (const size of cuts) {
        chunks.push(bytes.subarray(from, from + size))
        from += size
      }
      chunks.push(bytes.subarray(from))
      assert.deepEqual(await split(chunks), lines)
    }),
  )
})

test('a rest without a line end comes last, and a carriage return belongs to the end', async () => {
  assert.deepEqual(await split([Buffer.from('a\r\nb\n\nc')]), ['a', 'b', '', 'c'])
})

test('a line beyond the limit is an error, not a growing memory', async () => {
  await assert.rejects(split([Buffer.from('abc\n'), Buffer.from('x'.repeat(11))], 10), RangeError)
})
