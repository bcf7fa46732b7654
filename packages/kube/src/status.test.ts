import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { type Answer, failure, ScriptedTransport } from '../test/scripted-transport.ts'
import { KubeClient } from './client.ts'
import { isAlreadyExists, isConflict, isExpired, isForbidden, isInvalid, isNotFound, KubeError } from './errors.ts'
import { resources } from './resource.ts'

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'x' } }

async function failed(answer: Answer): Promise<KubeError> {
  const client = new KubeClient({ transport: new ScriptedTransport(() => answer) })
  try {
    await client.create(resources.secrets, secret)
  } catch (error) {
    if (error instanceof KubeError) return error
  }
  throw new Error('a KubeError was expected')
}

test('a Status becomes an error that says what was asked and what was answered', async () => {
  const error = await failed(
    failure(422, 'Invalid', 'Secret "a" is invalid', {
      name: 'a',
      kind: 'Secret',
      causes: [{ reason: 'FieldValueRequired', field: 'metadata.name', message: 'Required value', extra: 1 }],
    }),
  )
  assert.equal(error.message, 'POST /api/v1/namespaces/x/secrets: 422 Invalid: Secret "a" is invalid')
  assert.deepEqual(error.details?.causes, [
    { reason: 'FieldValueRequired', field: 'metadata.name', message: 'Required value' },
  ])
  assert.ok(isInvalid(error) && !error.isRetryable() && !error.isOutcomeUnknown())
})

test('each kind of refusal is told from the others', async () => {
  const checks = { isAlreadyExists, isConflict, isExpired, isForbidden, isInvalid, isNotFound }
  const cases: [Answer, string][] = [
    [failure(404, 'NotFound'), 'isNotFound'],
    [failure(409, 'AlreadyExists'), 'isAlreadyExists'],
    [failure(409, 'Conflict'), 'isConflict'],
    [failure(403, 'Forbidden'), 'isForbidden'],
    [failure(422, 'Invalid'), 'isInvalid'],
    [failure(410, 'Expired'), 'isExpired'],
  ]
  for (const [answer, name] of cases) {
    const error = await failed(answer)
    const which = Object.entries(checks).filter(([, check]) => check(error))
    assert.deepEqual(
      which.map(([check]) => check),
      [name],
    )
  }
  for (const check of Object.values(checks)) assert.equal(check(new Error('404')), false)
})

test('a body that is no Status is not shown, whatever it holds', async () => {
  const error = await failed({ status: 502, body: '<html>token s3cret</html>' })
  assert.equal(error.reason, 'Unknown')
  assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes('s3cret'))
})

test('an error holds no body, no header and no query', async () => {
  const transport = new ScriptedTransport(() => failure(403, 'Forbidden'))
  const client = new KubeClient({ transport }).as({ token: 's3cret-token' })
  const object = { ...secret, data: { password: 's3cret-data' } }
  const attempts = [
    client.create(resources.secrets, object),
    client.request('GET', '/api/v1/secrets', { query: { continue: 's3cret-query' } }),
    client.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 's3cret-review' } }),
  ]
  for (const attempt of attempts) {
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof KubeError)
    const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error) + error.stack
    assert.ok(!shown.includes('s3cret'), shown)
  }
})

test('a message is cut where it would flood a log', async () => {
  assert.ok((await failed(failure(400, 'BadRequest', 'x'.repeat(100_000)))).message.length < 2200)
})

test('the time to wait comes from the header, or from the details', async () => {
  const asked = { status: 429, headers: { 'retry-after': '7' }, body: 'Too many requests' }
  assert.equal((await failed(asked)).retryAfterMs, 7000)
  const timeout = failure(504, 'Timeout', 'later', { retryAfterSeconds: 2 })
  assert.equal((await failed(timeout)).retryAfterMs, 2000)
  assert.equal(
    (await failed({ status: 429, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } })).retryAfterMs,
    undefined,
  )
})

test('a write that a server gave up on has an unknown outcome, one that it refused has not', async () => {
  for (const status of [500, 502, 503, 504]) assert.ok((await failed({ status })).isOutcomeUnknown(), String(status))
  for (const status of [400, 401, 403, 404, 409, 410, 422, 429])
    assert.ok(!(await failed({ status })).isOutcomeUnknown(), String(status))
  assert.ok((await failed({ status: 201, body: '<html>' })).isOutcomeUnknown(), 'a page in place of an object')
})
