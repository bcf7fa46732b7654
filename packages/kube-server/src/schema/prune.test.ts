import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import { sampleObject, specSchema } from './sample.ts'
import { compileSchema, prune } from './schema.ts'

const integer = { type: 'integer' }

/** The removed paths and what is left of `spec`. */
function pruned(properties: JsonObject, spec: JsonObject): { removed: string[]; spec: Json | undefined } {
  const object = sampleObject(spec)
  const removed = prune(compileSchema(specSchema(properties)), object)
  return { removed, spec: object['spec'] }
}

it('Unknown members go, with their paths in order', () => {
  const parts = { type: 'array', items: { type: 'object', properties: { q: integer } } }
  assert.deepEqual(pruned({ a: integer, parts }, { a: 1, z: 2, b: { c: 1 }, parts: [{ q: 1, y: 2 }] }), {
    removed: ['spec.b', 'spec.parts[0].y', 'spec.z'],
    spec: { a: 1, parts: [{ q: 1 }] },
  })
})

it('apiVersion, kind and metadata of the root stay, other top-level members go', () => {
  const object: JsonObject = { ...sampleObject({}), extra: 1 }
  assert.deepEqual(prune(compileSchema({ type: 'object' }), object), ['extra', 'spec'])
  assert.deepEqual(Object.keys(object), ['apiVersion', 'kind', 'metadata'])
})

it('Maps keep their keys and prune their values', () => {
  const map = { type: 'object', additionalProperties: { type: 'object', properties: { x: integer } } }
  assert.deepEqual(pruned({ map }, { map: { any: { x: 1, y: 2 } } }), {
    removed: ['spec.map.any.y'],
    spec: { map: { any: { x: 1 } } },
  })
})

it('A map of anything keeps scalars only', () => {
  const map = { type: 'object', additionalProperties: true }
  assert.deepEqual(pruned({ map }, { map: { a: 1, b: { c: 2 } } }), {
    removed: ['spec.map.b.c'],
    spec: { map: { a: 1, b: {} } },
  })
})

it('A preserving node keeps everything below, but its declared children are pruned', () => {
  const blob = {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    properties: { known: { type: 'object', properties: { x: integer } } },
  }
  assert.deepEqual(pruned({ blob }, { blob: { any: { thing: [1, { y: 2 }] }, known: { x: 1, y: 2 } } }), {
    removed: ['spec.blob.known.y'],
    spec: { blob: { any: { thing: [1, { y: 2 }] }, known: { x: 1 } } },
  })
})

it('A preserving list keeps unknown members of its items', () => {
  const list = {
    type: 'array',
    'x-kubernetes-preserve-unknown-fields': true,
    items: { type: 'object', properties: { x: { type: 'object', properties: {} } } },
  }
  assert.deepEqual(pruned({ list }, { list: [{ y: 1, x: { z: 1 } }] }), {
    removed: ['spec.list[0].x.z'],
    spec: { list: [{ y: 1, x: {} }] },
  })
})

it('An embedded resource keeps its type and metadata; metadata keeps only what metadata has', () => {
  const template = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: { spec: { type: 'object', properties: {} } },
  }
  const value = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', nope: 1 }, spec: { x: 1 }, more: 1 }
  assert.deepEqual(pruned({ template }, { template: value }), {
    removed: ['spec.template.metadata.nope', 'spec.template.more', 'spec.template.spec.x'],
    spec: { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} } },
  })
})

it('Values that do not fit the schema are left for the validation', () => {
  assert.deepEqual(pruned({ a: { type: 'object', properties: { x: integer } } }, { a: 'text' }), {
    removed: [],
    spec: { a: 'text' },
  })
})
