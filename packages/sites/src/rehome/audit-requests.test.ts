import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuditRequests } from './audit-requests.ts'

function setUp() {
  const asked: PromiseWithResolvers<void>[] = []
  const requests = new AuditRequests()
  const request = (key = 'g') =>
    requests.request(key, () => {
      const answer = Promise.withResolvers<void>()
      asked.push(answer)
      return answer.promise
    })
  return { asked, request }
}

test('who asks while an audit is under way shares the next one, and never the one that may have read before', async () => {
  const { asked, request } = setUp()
  const first = request()
  const later = [request(), request(), request()]
  assert.equal(asked.length, 1)
  asked[0]?.resolve()
  await first
  await Promise.resolve()
  assert.equal(asked.length, 2)
  let isAnswered = false
  void later[0]?.then(() => {
    isAnswered = true
  })
  await Promise.resolve()
  assert.equal(isAnswered, false)
  asked[1]?.resolve()
  await Promise.all(later)
  assert.equal(asked.length, 2)
})

test('one that fails is told to those who asked for it, and the next one is asked all the same', async () => {
  const { asked, request } = setUp()
  const first = request()
  const second = request()
  asked[0]?.reject(new Error('no answer'))
  await assert.rejects(first, /no answer/)
  await new Promise(resolve => setImmediate(resolve))
  asked[1]?.resolve()
  await second
  const third = request()
  assert.equal(asked.length, 3)
  asked[2]?.resolve()
  await third
})

test('groups do not wait for each other', () => {
  const { asked, request } = setUp()
  void request('g1')
  void request('g2')
  assert.equal(asked.length, 2)
})
