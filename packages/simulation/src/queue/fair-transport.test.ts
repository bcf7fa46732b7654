import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transport } from '@godwit/kube'
import { systemClock } from '@godwit/ports'
import { FairTurns, fairTransport } from './fair-transport.ts'

const answer = { status: 200, headers: {}, text: async () => '', async *lines() {} }

/** Answers at once, in microtasks. */
const instant = (): Transport => ({ request: async () => answer, close: async () => undefined })

test('a timer fires although requests follow each other without a pause', async () => {
  const transport = fairTransport(instant(), new FairTurns(systemClock))
  let hasFired = false
  systemClock.after(1, () => {
    hasFired = true
  })
  // Without turns in between this would never end: each answer leads to the next request.
  while (!hasFired) await transport.request({ method: 'GET', path: '/', headers: {} })
  assert.equal(hasFired, true)
})

test('each request is asked once and its answer handed through', async () => {
  const paths: string[] = []
  const inner: Transport = {
    request: async ({ path }) => {
      paths.push(path)
      return { ...answer, status: 200 + paths.length }
    },
    close: async () => undefined,
  }
  const transport = fairTransport(inner, new FairTurns(systemClock))
  const ask = (path: string) => transport.request({ method: 'GET', path, headers: {} })
  const answers = await Promise.all(['/a', '/b', '/c'].map(ask))
  assert.deepEqual(paths, ['/a', '/b', '/c'])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 202, 203],
  )
})
