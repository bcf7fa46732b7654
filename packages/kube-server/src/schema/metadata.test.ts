import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { subdomainProblem } from '../api/names.ts'
import type { Json, JsonObject } from '../api/object.ts'
import { type ObjectMetaOptions, validateObjectMeta } from './metadata.ts'
import { judge, lines } from './sample.ts'

const complaints = (metadata: Json | undefined, options?: ObjectMetaOptions) =>
  lines(validateObjectMeta(metadata, options)).map(line => line.slice(0, 90))

describe('metadata of any object', () => {
  const owner = { apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'u', controller: true }
  const good: readonly Json[] = [
    {},
    { name: 'a', generateName: 'a-', namespace: 'b' },
    { labels: { 'example.com/a_B.c': 'x', short: '' }, annotations: { 'example.com/UPPER': 'any text at all' } },
    { finalizers: ['example.com/one', 'orphan'], ownerReferences: [owner] },
    { annotations: { a: 'x'.repeat(256 * 1024 - 1) } },
  ]
  for (const metadata of good)
    it(`takes ${JSON.stringify(metadata).slice(0, 80)}`, () => assert.deepEqual(complaints(metadata), []))

  const bad: readonly (readonly [Json, ...string[]])[] = [
    [{ name: 'a/b' }, `Invalid at metadata.name: Invalid value: "a/b": may not contain '/'`],
    [{ labels: { '-x': 'y' } }, 'Invalid at metadata.labels: Invalid value: "-x": name part must consist of '],
    [{ labels: { 'a/b/c': 'y' } }, 'Invalid at metadata.labels: Invalid value: "a/b/c": a qualified name must'],
    [{ labels: { '/b': 'y' } }, 'Invalid at metadata.labels: Invalid value: "/b": prefix part must be non-empty'],
    [{ labels: { a: '-' } }, 'Invalid at metadata.labels: Invalid value: "-": a valid label must be an empty'],
    [
      { labels: { a: 'x'.repeat(64) } },
      `Invalid at metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 characters`,
    ],
    [{ annotations: { 'a b': '' } }, 'Invalid at metadata.annotations: Invalid value: "a b": name part must'],
    [
      { annotations: { a: 'x'.repeat(256 * 1024) } },
      'TooLong at metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
    [{ finalizers: ['a b'] }, 'Invalid at metadata.finalizers: Invalid value: "a b": name part must'],
    [{ finalizers: ['orphan', 'foregroundDeletion'] }, 'Invalid at metadata.finalizers: Invalid value: '],
    [
      { ownerReferences: [{ ...owner, uid: '' }] },
      'Invalid at metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
    ],
    [{ ownerReferences: [owner, { ...owner, name: 'p' }] }, 'Invalid at metadata.ownerReferences: Invalid value: '],
  ]
  for (const [metadata, ...expected] of bad)
    it(`refuses ${JSON.stringify(metadata).slice(0, 80)}`, () => {
      const found = complaints(metadata)
      assert.equal(found.length, expected.length)
      for (const [i, text] of expected.entries()) assert.equal(found[i]?.slice(0, text.length), text.slice(0, 90))
    })

  it('reports at the path it is given, with the rule for names it is given', () => {
    const options = { path: ['spec', 'list', 3, 'metadata'], nameProblem: subdomainProblem }
    assert.deepEqual(
      complaints({ name: 'A', labels: { '-': 'x' } }, options).map(line => line.split(': ')[0]),
      ['Invalid at spec.list[3].metadata.labels', 'Invalid at spec.list[3].metadata.name'],
    )
  })

  it('misses a name only when one is required', () => {
    const needsName: ObjectMetaOptions = { nameProblem: name => (name === '' ? 'must not be empty' : undefined) }
    assert.deepEqual(complaints({}, needsName), [])
    assert.deepEqual(complaints({}, { ...needsName, nameRequired: true }), [
      'Invalid at metadata.name: Invalid value: "": must not be empty',
    ])
  })

  it('refuses finalizers without a domain where it is told to', () => {
    assert.deepEqual(complaints({ finalizers: ['plain'] }), [])
    assert.equal(complaints({ finalizers: ['plain'] }, { qualifiedFinalizers: true }).length, 1)
  })

  for (const broken of [
    'text',
    5,
    [],
    { labels: 5 },
    { labels: { a: 1 } },
    { finalizers: 'x' },
    { ownerReferences: {} },
  ])
    it(`refuses ${JSON.stringify(broken)} without throwing`, () => assert.equal(complaints(broken as Json).length, 1))
})

describe('embedded resources', () => {
  const embedded = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  }
  const schema: JsonObject = {
    one: embedded,
    list: { type: 'array', items: embedded },
    map: { type: 'object', additionalProperties: embedded },
  }
  const good = { apiVersion: 'apps/v1', kind: 'Thing', metadata: { name: 'x' } }

  it('are taken with a type and good metadata', () => {
    assert.deepEqual(judge(schema, { one: good, list: [good], map: { k: good } }), [])
  })

  it('need a type', () => {
    assert.deepEqual(judge(schema, { one: { apiVersion: '', kind: '' } }), [
      'Invalid at spec.one.apiVersion: Invalid value: "": must not be empty',
      'Invalid at spec.one.kind: Invalid value: "": must not be empty',
    ])
    assert.deepEqual(judge(schema, { list: [good, { kind: 'A' }] }), [
      'Required at spec.list[1].apiVersion: Required value: must not be empty',
    ])
    assert.deepEqual(judge(schema, { map: { 'k.x/y': { apiVersion: 'v1' } } }), [
      'Required at spec.map[k.x/y].kind: Required value: must not be empty',
    ])
  })

  it('need a type that can be one', () => {
    const [version = '', kind = ''] = judge(schema, { one: { apiVersion: 'a/b/c', kind: 'Foo_' } })
    assert.equal(
      version,
      'Invalid at spec.one.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    )
    assert.match(kind, /^Invalid at spec\.one\.kind: .*may have mixed case, but should otherwise match/)
  })

  it('need good metadata', () => {
    assert.deepEqual(
      judge(schema, { list: [{ ...good, metadata: { name: 'a/b', labels: { '-': 'x' } } }] }).map(
        line => line.split(': ')[0],
      ),
      ['Invalid at spec.list[0].metadata.labels', 'Invalid at spec.list[0].metadata.name'],
    )
  })
})
