import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turnstile } from './turnstile.ts'

test('work goes through one at a time in the order in which it came, whatever fails before it', async () => {
  const turnstile = new Turnstile()
  const trace: string[] = []
  const work = (name: string, fails: boolean) => async () => {
    trace.push(`${name} in`)
    await Promise.resolve()
    trace.push(`${name} out`)
    if (fails) throw new Error(name)
    return name
  }
  const ends = await Promise.allSettled([
    turnstile.pass(work('a', false)),
    turnstile.pass(work('b', true)),
    turnstile.pass(work('c', false)),
  ])
  assert.deepEqual(trace, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})
