import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, silentLogger, VirtualClock } from '@godwit/ports'
import { openSqlite } from '@godwit/store'
import { apiExchange } from './api.ts'

test('a mistake is logged with its kind and its place, and without its message', async t => {
  const database = openSqlite({ path: ':memory:', clock: new VirtualClock() })
  t.after(() => database.close())
  const lines: Fields[] = []
  const exchange = apiExchange({
    database,
    routes: [
      {
        method: 'GET',
        path: ['broken'],
        policy: 'read',
        summary: 'A call that fails',
        handle: async () => {
          throw new RangeError('the secret is 42')
        },
      },
    ],
    identities: { identify: async () => ({ user: 'a', project: 'admin', roles: ['admin'] }) },
    logger: { ...silentLogger, error: fields => void lines.push(fields) },
  })
  const headers = { 'x-auth-token': 't', accept: 'application/json' }
  const { status } = await exchange({ method: 'GET', url: '/v1.0/broken', headers, body: undefined })
  assert.equal(status, 500)
  assert.equal(lines[0]?.['error'], 'RangeError')
  assert.match(String(lines[0]?.['at']), /api\.test\.ts/)
  assert.doesNotMatch(JSON.stringify(lines), /secret/)
})
