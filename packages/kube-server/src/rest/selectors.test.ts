import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../api/object.ts'
import { fieldAt, metadataFields, parseFieldSelector, parseLabelSelector, selectedName } from './selectors.ts'

const labelled = (labels?: { [key: string]: string }) =>
  ({ metadata: { name: 'x', ...(labels && { labels }) } }) as KubeObject
const matches = (selector: string, labels?: { [key: string]: string }) =>
  parseLabelSelector(selector)?.(labelled(labels)) ?? true

test('each operator means what Kubernetes means by it', () => {
  const yes: [string, { [key: string]: string } | undefined][] = [
    ['', undefined],
    ['a=b', { a: 'b' }],
    ['a==b', { a: 'b' }],
    ['a = b', { a: 'b' }],
    ['a=', { a: '' }],
    ['a!=b', { a: 'c' }],
    ['a!=b', undefined],
    ['a in (b, c)', { a: 'c' }],
    ['a notin (b,c)', { a: 'd' }],
    ['a notin (b)', undefined],
    ['a', { a: '' }],
    ['!a', { b: 'c' }],
    ['a>1', { a: '2' }],
    ['a<10', { a: '9' }],
    ['x.y/a=b,c', { 'x.y/a': 'b', c: 'd' }],
    ['a in (b),!c', { a: 'b' }],
  ]
  for (const [selector, labels] of yes) assert.ok(matches(selector, labels), selector)
  const no: [string, { [key: string]: string } | undefined][] = [
    ['a=b', undefined],
    ['a=b', { a: 'c' }],
    ['a!=b', { a: 'b' }],
    ['a in (b)', undefined],
    ['a notin (b)', { a: 'b' }],
    ['a', { b: 'a' }],
    ['!a', { a: '' }],
    ['a>1', { a: '1' }],
    ['a>1', { a: 'x' }],
    ['a=b,c=d', { a: 'b' }],
    ['constructor', {}],
  ]
  for (const [selector, labels] of no) assert.ok(!matches(selector, labels), selector)
})

test('what cannot be read is 400', () => {
  for (const selector of ['a b c', 'a=b=c', 'a in b', 'a in (b', 'a,,b', ',', 'a/b/c=d', 'a=b c', 'a>x', '=b', 'a=-'])
    assert.throws(() => parseLabelSelector(selector), { code: 400, reason: 'BadRequest' }, selector)
})

test('field selectors compare text, negate, escape, and refuse unknown fields', () => {
  const object = { metadata: { name: 'a,b', namespace: 'n' }, spec: { size: 5, on: false } } as unknown as KubeObject
  const readers = new Map([
    ...metadataFields,
    ['spec.size', fieldAt('spec.size')],
    ['spec.on', fieldAt('.spec.on')],
    ['spec.none', fieldAt('spec.none')],
  ])
  const test = (selector: string) => parseFieldSelector(selector, readers)?.(object)
  assert.equal(test('metadata.name=a\\,b,metadata.namespace==n'), true)
  assert.equal(test('spec.size=5,spec.on=false,spec.none='), true)
  assert.equal(test('spec.size!=5'), false)
  assert.equal(test(''), undefined)
  assert.throws(() => test('spec.other=1'), { code: 400, message: 'field label not supported: spec.other' })
  assert.throws(() => test('metadata.name'), { code: 400 })
})

test('a selected name is found only where it pins one object', () => {
  assert.equal(selectedName('metadata.name=a'), 'a')
  assert.equal(selectedName('metadata.namespace=n,metadata.name==a'), 'a')
  assert.equal(selectedName('metadata.name!=a'), undefined)
  assert.equal(selectedName(''), undefined)
})
