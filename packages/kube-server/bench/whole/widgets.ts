/** Custom resources of about 1 KB of JSON, as the server stores them. */
import type { JsonObject } from '../../src/api/object.ts'

export const OBJECTS = 10_000
const NAMESPACES = 10

const text = (length: number, seed: number) => `${seed} `.padEnd(length, 'abcdefghijklmnopqrstuvwxyz ')
const list = (items: JsonObject, key: string): JsonObject => ({
  type: 'array',
  maxItems: 100,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
  items,
})

const condition: JsonObject = {
  type: 'object',
  required: ['type', 'status'],
  properties: {
    type: { type: 'string', maxLength: 316 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string', minLength: 1, maxLength: 1024 },
    message: { type: 'string', maxLength: 32_768 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
  },
}
const schema: JsonObject = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['source', 'target'],
      properties: {
        source: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
        target: { type: 'string', maxLength: 63 },
        paused: { type: 'boolean', default: false },
        note: { type: 'string', maxLength: 1024 },
      },
      'x-kubernetes-validations': [{ rule: 'self.source != self.target', message: 'must differ' }],
    },
    status: {
      type: 'object',
      properties: {
        phase: { type: 'string', enum: ['Pending', 'Running', 'Done'] },
        step: { type: 'integer', minimum: 0 },
        conditions: list(condition, 'type'),
      },
    },
  },
}

export const definition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'moves.bench.example.com' },
  spec: {
    group: 'bench.example.com',
    scope: 'Namespaced',
    names: { plural: 'moves', kind: 'Move' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } },
    ],
  },
}

export const allMoves = '/apis/bench.example.com/v1/moves'
const namespaceOf = (index: number) => `bench-${index % NAMESPACES}`
const nameOf = (index: number) => `move-${String(index).padStart(6, '0')}`
const movesIn = (namespace: string) => `/apis/bench.example.com/v1/namespaces/${namespace}/moves`

export const namespaces: readonly JsonObject[] = Array.from({ length: NAMESPACES }, (_, index) => ({
  metadata: { name: namespaceOf(index) },
}))

/** Where the object is created. */
export const collectionOf = (index: number) => movesIn(namespaceOf(index))
export const pathOf = (index: number) => `${collectionOf(index)}/${nameOf(index)}`

export function moveAt(index: number): JsonObject {
  return {
    apiVersion: 'bench.example.com/v1',
    kind: 'Move',
    metadata: { name: nameOf(index), labels: { app: 'bench', tier: `t${index % 5}` } },
    spec: { source: `hub-${index % 3}`, target: `target-${index % 7}`, note: text(120, index) },
  }
}

/** Body of a merge patch of `/status`; each step gives another one. */
export function statusAt(step: number): JsonObject {
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const ready = { type: 'Ready', status: step % 2 ? 'True' : 'False', reason: 'Step', message: text(60, step) }
  return { status: { phase: 'Running', step, conditions: [{ ...ready, lastTransitionTime }] } }
}
