import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyFormat } from './body.ts'
import { negotiate } from './negotiate.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'

test('the best servable clause wins, by quality, then by order', () => {
  assert.equal(negotiate(undefined, true).as, 'object')
  assert.equal(negotiate('application/vnd.kubernetes.protobuf,application/json', true).as, 'object')
  assert.equal(negotiate(`${table},application/json`, true).as, 'table')
  assert.equal(negotiate(`${table};q=0.1,application/json`, true).as, 'object')
  assert.equal(negotiate(`${table.replace('v1;', 'v1beta1;')},application/json`, true).metaVersion, 'v1beta1')
  assert.equal(negotiate('application/json;stream=watch', true).as, 'object')
  assert.equal(negotiate('application/yaml, application/json;q=0.5', true).yaml, true)
  assert.equal(negotiate('text/html, */*;q=0.1', true).as, 'object')
})

test('what cannot be shown so falls to the next clause, or is 406', () => {
  assert.equal(negotiate(`${table},application/json`, false).as, 'object')
  for (const accept of [
    'text/html',
    'application/xml',
    'application/vnd.kubernetes.protobuf',
    'application/json;as=Chart;g=meta.k8s.io;v=v1',
    table.replace('=v1', '=v7'),
  ])
    assert.throws(() => negotiate(accept, true), { code: 406, reason: 'NotAcceptable' })
  assert.throws(() => negotiate(table, false), { code: 406 })
})

test('bodies are JSON unless they say otherwise', () => {
  assert.equal(bodyFormat(undefined), 'json')
  assert.equal(bodyFormat('application/json; charset=utf-8'), 'json')
  assert.equal(bodyFormat('Application/YAML'), 'yaml')
  assert.equal(bodyFormat('application/vnd.kubernetes.protobuf'), 'protobuf')
  assert.throws(() => bodyFormat('text/plain'), { code: 415, reason: 'UnsupportedMediaType' })
})
