/** Whatever is asked, the answer is one that the API has, and nothing of a secret is in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pathOf } from '../src/http/openapi.ts'
import type { Route } from '../src/http/route.ts'
import { siteRoutes } from '../src/http/site-api.ts'
import { multipartBody } from '../src/peer/multipart.ts'
import { fakePeer, PEER_UUID, startApi } from './api.ts'
import { base64, CANARIES, givenMember, givenSubcloud, SECONDARY, valuesOf } from './fixture.ts'

const RUNS = Number(process.env['GODWIT_FUZZ_RUNS'] ?? 400)
/** The same requests each time; others by the environment. */
const SEED = Number(process.env['GODWIT_FUZZ_SEED'] ?? 1)
/** The reference answers 500 to members that cannot be migrated, and names them. */
const NAMED_500 = /Cannot migrate the group/

const words = ['1', '2', '9', 's1', 's2', 'g', 'site-b', 'none', 'x', '', '../g', '%00', '0', '-1', PEER_UUID]
const ref = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 12 }))
const given = [
  'true',
  'false',
  'managed',
  'unmanaged',
  'complete',
  'none',
  'in-sync',
  '10.2.1.9',
  '24.09',
  '{}',
  'null',
]
const value = fc.oneof(
  fc.constantFrom(...given, ...words, base64(CANARIES.sysadmin)),
  fc.integer({ min: -5, max: 70_000 }),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }),
)
const text = fc.oneof(fc.constantFrom(...given, ...words, base64(CANARIES.sysadmin)), fc.string({ maxLength: 20 }))
const file = fc.oneof(
  fc.constantFrom(JSON.stringify(valuesOf(1)), JSON.stringify(valuesOf(3)), 'a: 1', '- a', '', '*x', '{', '!!binary x'),
  fc.string({ maxLength: 40 }),
)

/** Bodies with the names that the route knows, and one that it does not. */
function bodyFor(route: Route) {
  const shape = route.request && 'shape' in route.request ? Object.keys(route.request.shape as object) : []
  const name = fc.constantFrom(...shape, 'unknown', '__proto__')
  if (!route.files) return fc.dictionary(name, value, { maxKeys: 7 }).map(body => ({ json: JSON.stringify(body) }))
  const part = fc.constantFrom(...route.files, 'deploy_config')
  return fc
    .record({
      fields: fc.dictionary(name, text, { maxKeys: 7 }),
      files: fc.dictionary(part, file, { maxKeys: 2 }),
    })
    .map(form => ({ form: multipartBody(form) }))
}

type Body =
  | { readonly json: string }
  | { readonly form: ReturnType<typeof multipartBody> }
  | { readonly json: undefined }

const broken = fc.constantFrom<Body>(
  { json: undefined },
  { json: '{' },
  { json: '[]' },
  { json: '"x"' },
  { form: { contentType: 'multipart/form-data; boundary=x', body: Buffer.from('--x\r\n') } },
)

test('no request is a mistake of the server, and none shows a secret', async t => {
  const ports = { peerSite: () => fakePeer(), regionReader: { regionOf: async () => 'f'.repeat(32) } }
  const api = await startApi(t, ports)
  await givenMember(api)
  await givenSubcloud(api, 2, SECONDARY)
  const tokens = { admin: await api.tokenOf('admin'), peer: await api.tokenOf('peer') }
  const tally = new Map<number, number>()
  const routes = siteRoutes({ site: api.site, ...ports })
  const request = fc.constantFrom(...routes).chain(route =>
    fc.record({
      route: fc.constant(route),
      ref,
      user: fc.constantFrom('admin' as const, 'peer' as const),
      body: fc.oneof({ weight: 4, arbitrary: bodyFor(route) as fc.Arbitrary<Body> }, { weight: 1, arbitrary: broken }),
    }),
  )
  const ask = async ({
    route,
    ref: given,
    user,
    body,
  }: {
    route: Route
    ref: string
    user: keyof typeof tokens
    body: Body
  }) => {
    const { contentType, bytes } =
      'form' in body
        ? { contentType: body.form.contentType, bytes: body.form.body }
        : { contentType: 'application/json', bytes: body.json === undefined ? undefined : Buffer.from(body.json) }
    const answer = await api.exchange({
      method: route.method,
      url: pathOf(route).replace('{ref}', encodeURIComponent(given)).replace('*', 'any'),
      headers: { 'x-auth-token': tokens[user], accept: 'application/json', 'content-type': contentType },
      body: bytes,
    })
    tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1)
    const shown = Buffer.from(answer.body).toString()
    if (answer.status === 500) assert.match(shown, NAMED_500)
    else assert.ok([200, 400, 403, 404, 405, 409, 422].includes(answer.status), `${answer.status} ${shown}`)
    if (user === 'admin') for (const canary of Object.values(CANARIES)) assert.equal(shown.includes(canary), false)
  }
  await fc.assert(fc.asyncProperty(request, ask), { numRuns: RUNS, seed: SEED })
  for (const status of [200, 400, 404]) assert.ok((tally.get(status) ?? 0) > 5, `${status} is hardly ever answered`)
})
