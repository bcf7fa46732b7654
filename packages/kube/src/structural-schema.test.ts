import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customObjectSchema, structuralSchema } from './structural-schema.ts'

test('what a structural schema must not have is left out, at every depth', () => {
  const schema = {
    $schema: 'x',
    type: 'object',
    additionalProperties: false,
    properties: {
      count: { type: 'integer', minimum: -Number.MAX_SAFE_INTEGER, maximum: 5 },
      size: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      labels: { type: 'object', propertyNames: { type: 'string' }, additionalProperties: { type: 'string' } },
      at: { type: 'string', format: 'date-time', pattern: 'x' },
    },
  }
  assert.deepEqual(structuralSchema(schema), {
    type: 'object',
    properties: {
      count: { type: 'integer', format: 'int64', maximum: 5 },
      size: { 'x-kubernetes-int-or-string': true },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      at: { type: 'string', format: 'date-time' },
    },
  })
})

test('a custom object has the header that every object has', () => {
  const schema = customObjectSchema({ type: 'object', required: ['spec'], properties: { spec: { type: 'object' } } })
  assert.deepEqual(schema['required'], ['spec'])
  assert.deepEqual(Object.keys(schema['properties'] as object), ['apiVersion', 'kind', 'metadata', 'spec'])
})

test('members may have the names of schema keys', () => {
  const properties = { id: { type: 'string' }, additionalProperties: { type: 'string' }, type: { type: 'string' } }
  const schema = { type: 'object', properties, default: { id: 'x', $schema: 'y' } }
  assert.deepEqual(structuralSchema(schema), schema)
})
