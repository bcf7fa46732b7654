import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import { decodeProtobuf } from './index.ts'

interface Sample {
  readonly protobuf: string
  readonly json: JsonObject
}

/** Objects written by the published Go types, as protobuf and as JSON; reviews without the status that only answers have. */
const samples: readonly Sample[] = JSON.parse(readFileSync(new URL('protobuf-samples.json', import.meta.url), 'utf8'))
const bodies = samples.map(sample => Buffer.from(sample.protobuf, 'base64'))

/** Members whose keys are data: empty strings count there. */
const maps = new Set(['labels', 'annotations', 'data', 'binaryData', 'stringData', 'matchLabels', 'extra', 'fieldsV1'])

/** JSON of the Go types without what only says "unset". */
function withoutUnset(value: Json | undefined, isMap = false): Json | undefined {
  if (Array.isArray(value)) return value.map(item => (typeof item === 'string' ? item : (withoutUnset(item) ?? {})))
  if (typeof value !== 'object' || value === null || isMap) return value
  const members = Object.entries(value)
    .map(([name, member]) => [name, withoutUnset(member, maps.has(name))] as const)
    .filter(([, member]) => member !== undefined && member !== null && member !== '')
    .filter(([, member]) => typeof member !== 'object' || Object.keys(member ?? {}).length > 0)
  return Object.fromEntries(members)
}

function refusal(body: Buffer): StatusError {
  try {
    decodeProtobuf(body)
  } catch (error) {
    assert.ok(error instanceof StatusError, `not a StatusError: ${error}`)
    return error
  }
  throw new assert.AssertionError({ message: 'the body was accepted' })
}

const field = (id: number, content: Buffer | string) => {
  const bytes = Buffer.from(content as string)
  assert.ok(bytes.length < 128)
  return Buffer.concat([Buffer.from([(id << 3) | 2, bytes.length]), bytes])
}
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00])
const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
  Buffer.concat([magic, field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])), field(2, raw)])

for (const [index, sample] of samples.entries()) {
  test(`sample ${index}, a ${sample.json['kind']}, decodes to the JSON of the same object`, () => {
    assert.deepEqual(decodeProtobuf(bodies[index] ?? Buffer.alloc(0)), withoutUnset(sample.json))
  })
}

test('an empty string in a list or map is kept, as an unset member it is dropped', () => {
  const rule = Buffer.concat([field(1, 'get'), field(2, ''), field(3, 'pods')])
  const meta = Buffer.concat([field(1, 'r'), field(2, ''), field(3, ''), field(11, field(1, 'l'))])
  const body = envelope('rbac.authorization.k8s.io/v1', 'Role', Buffer.concat([field(1, meta), field(2, rule)]))
  assert.deepEqual(decodeProtobuf(body), {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'r', labels: { l: '' } },
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
  })
})

test('fields that are not known are skipped whatever their wire type', () => {
  const unknown = Buffer.concat([
    Buffer.from([(15 << 3) | 0, 0x05]),
    Buffer.from([(15 << 3) | 5, 1, 2, 3, 4]),
    Buffer.from([(15 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8]),
    field(15, 'text'),
  ])
  const body = envelope('v1', 'ConfigMap', Buffer.concat([unknown, field(1, field(1, 'c'))]))
  assert.deepEqual(decodeProtobuf(body), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } })
})

test('DeleteOptions are read in whichever API version a client names', () => {
  const body = envelope('certificates.k8s.io/v1', 'DeleteOptions', field(4, 'Background'))
  assert.equal(decodeProtobuf(body)['propagationPolicy'], 'Background')
})

test('kinds and encodings without description are 415', () => {
  for (const [apiVersion, kind] of [
    ['apps/v1', 'Deployment'],
    ['v2', 'ConfigMap'],
    ['', ''],
    ['v1', 'constructor'],
  ] as const) {
    const error = refusal(envelope(apiVersion, kind, Buffer.alloc(0)))
    assert.equal(error.code, 415)
    assert.equal(error.reason, 'UnsupportedMediaType')
  }
  const encoded = Buffer.concat([envelope('v1', 'ConfigMap', Buffer.alloc(0)), field(3, 'gzip')])
  assert.equal(refusal(encoded).code, 415)
})

const hostile: readonly [string, Buffer][] = [
  ['no magic number', Buffer.from('{"kind":"ConfigMap"}')],
  ['nothing at all', Buffer.alloc(0)],
  ['half a magic number', magic.subarray(0, 2)],
  ['a length beyond the end', Buffer.concat([magic, Buffer.from([0x0a, 0x7f, 0x00])])],
  ['a length of 4 GiB', Buffer.concat([magic, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])])],
  ['a length of 2^64', Buffer.concat([magic, Buffer.from([0x0a, ...new Array(9).fill(0xff), 0x01])])],
  ['a number of eleven bytes', Buffer.concat([magic, Buffer.from([0x08, ...new Array(10).fill(0xff), 0x01])])],
  ['a number that never ends', Buffer.concat([magic, Buffer.from([0x08, 0xff])])],
  ['field number zero', Buffer.concat([magic, Buffer.from([0x02, 0x00])])],
  ['a group', Buffer.concat([magic, Buffer.from([0x0b])])],
  ['text that is not UTF-8', envelope('v1', 'ConfigMap', field(1, field(1, Buffer.from([0xff, 0xfe]))))],
  ['a number where text belongs', envelope('v1', 'ConfigMap', field(1, Buffer.from([0x08, 0x01])))],
  ['text where a number belongs', envelope('v1', 'ConfigMap', field(4, 'x'))],
  [
    'a generation beyond 2^53',
    envelope('v1', 'ConfigMap', field(1, Buffer.from([0x38, ...new Array(8).fill(0xff), 0x7f]))),
  ],
  [
    'a time after the year 9999',
    envelope('v1', 'ConfigMap', field(1, field(8, Buffer.from([0x08, ...new Array(6).fill(0xff), 0x7f])))),
  ],
  [
    'negative nanoseconds',
    envelope('v1', 'ConfigMap', field(1, field(8, Buffer.from([0x10, ...new Array(9).fill(0xff), 0x01])))),
  ],
  [
    'a key called __proto__',
    envelope('v1', 'ConfigMap', field(2, Buffer.concat([field(1, '__proto__'), field(2, 'x')]))),
  ],
  ['field sets that are not JSON', envelope('v1', 'ConfigMap', field(1, field(17, field(7, field(1, '{')))))],
]

for (const [what, body] of hostile) {
  test(`${what} is refused with 400`, () => {
    const error = refusal(body)
    assert.equal(error.code, 400)
    assert.equal(error.reason, 'BadRequest')
  })
}

test('a body of empty list items is refused before it fills the memory', () => {
  const item = Buffer.from([(2 << 3) | 2, 0])
  const raw = Buffer.alloc(item.length * 1_000_000, item)
  const length = Buffer.from([0x12, 0x80, 0x89, 0x7a])
  const typeMeta = field(1, Buffer.concat([field(1, 'rbac.authorization.k8s.io/v1'), field(2, 'Role')]))
  assert.equal(refusal(Buffer.concat([magic, typeMeta, length, raw])).code, 400)
})

/** Either JSON that survives a round trip, or a refusal; nothing else. */
function assertDecodesOrRefuses(body: Buffer): void {
  try {
    const object = decodeProtobuf(body)
    assert.deepEqual(JSON.parse(JSON.stringify(object)), object)
  } catch (error) {
    assert.ok(error instanceof StatusError, `not a StatusError: ${error}`)
    assert.ok(error.code === 400 || error.code === 415)
  }
}

test('random bytes after the magic number are decoded or refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => assertDecodesOrRefuses(Buffer.concat([magic, bytes]))),
    { numRuns: 2000 },
  )
})

test('random bytes as any known kind are decoded or refused, never more', () => {
  const kinds = samples.map(({ json }) => [String(json['apiVersion']), String(json['kind'])] as const)
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 120 }), ([apiVersion, kind], bytes) =>
      assertDecodesOrRefuses(envelope(apiVersion, kind, Buffer.from(bytes))),
    ),
    { numRuns: 2000 },
  )
})

test('mutated and truncated bodies are decoded or refused, never more', () => {
  const mutation = fc.record({
    body: fc.constantFrom(...bodies),
    edits: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 6 }),
    cut: fc.option(fc.nat(), { nil: undefined }),
  })
  fc.assert(
    fc.property(mutation, ({ body, edits, cut }) => {
      const bytes = Buffer.from(cut === undefined ? body : body.subarray(0, cut % (body.length + 1)))
      for (const { at, byte } of edits) if (bytes.length > 4) bytes[4 + (at % (bytes.length - 4))] = byte
      assertDecodesOrRefuses(bytes)
    }),
    { numRuns: 4000 },
  )
})
