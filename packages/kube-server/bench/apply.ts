// node packages/kube-server/bench/apply.ts: patches, field tracking and server-side apply per second, on one object of
// a controller's usual size and on a large one.
import { performance } from 'node:perf_hooks'
import type { JsonObject, KubeObject, ObjectMeta } from '../src/api/object.ts'
import { applyObject, shapeOfSchema, trackUpdate, withManagers } from '../src/apply/index.ts'
import { isObject, jsonPatch, mergePatch, strategicMergePatch } from '../src/patch/index.ts'

const DURATION_MS = 1000
const API_VERSION = 'bench.example.com/v1'

/** Calls `run` with a growing number for a while. */
function measure(what: string, run: (index: number) => unknown): void {
  for (let index = 0; index < 2000; index++) run(index)
  const start = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < DURATION_MS) {
    for (let batch = 0; batch < 50; batch++) run(count++)
    elapsed = performance.now() - start
  }
  const perSecond = Math.round((count / elapsed) * 1000).toLocaleString('en')
  console.log(`${what.padEnd(66)} ${perSecond.padStart(12)}/s  ${((elapsed / count) * 1000).toFixed(2)} µs`)
}

const text = { type: 'string' }
const keyedBy = (key: string, properties: JsonObject): JsonObject => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
  items: { type: 'object', properties },
})
const condition = { type: text, status: text, reason: text, message: text, lastTransitionTime: text }
const shape = shapeOfSchema({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: { size: { type: 'integer' }, parts: keyedBy('name', { name: text, value: text }) },
    },
    status: {
      type: 'object',
      properties: {
        phase: text,
        observedGeneration: { type: 'integer' },
        conditions: keyedBy('type', condition),
        items: keyedBy('name', { name: text, stage: text, conditions: keyedBy('type', condition) }),
      },
    },
  },
})

function conditionsOf(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, index) => ({
    type: `Condition${index}`,
    status: 'True',
    reason: 'AsExpected',
    message: 'everything is as it should be, and has been for a while',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }))
}

/** An object with `items` entries in its status, created by one manager, its status written by another. */
function tracked(items: number): KubeObject {
  const created: KubeObject = {
    apiVersion: API_VERSION,
    kind: 'Bench',
    metadata: {
      name: 'one',
      namespace: 'bench',
      uid: '5b0c8b1e-0000-4000-8000-000000000000',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'bench', team: 'one' },
      finalizers: ['bench.example.com/hold'],
    },
    spec: { size: 3, parts: [{ name: 'a', value: '1' }] },
  }
  const stored = track(undefined, created, 'creator', '')
  const status = {
    phase: 'Running',
    observedGeneration: 1,
    conditions: conditionsOf(3),
    items: Array.from({ length: items }, (_, index) => ({
      name: `item-${index}`,
      stage: 'Ready',
      conditions: conditionsOf(2),
    })),
  }
  return track(stored, { ...stored, status }, 'controller', 'status')
}

function track(before: KubeObject | undefined, after: KubeObject, manager: string, subresource: string): KubeObject {
  return withManagers(
    after,
    trackUpdate({ before, after, manager, apiVersion: API_VERSION, now: 0, subresource, shape }),
  )
}

function patched(object: KubeObject, patch: JsonObject): KubeObject {
  const result = mergePatch(object, patch)
  if (!isObject(result)) throw new Error('a merge patch of an object gives an object')
  return { ...object, ...result, metadata: object.metadata }
}

function withoutServerFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata: metadata as ObjectMeta }
}

for (const items of [0, 190]) {
  const object = tracked(items)
  const size = `${Math.round(JSON.stringify(withoutServerFields(object)).length / 1024)} KB`
  const phases = ['Pending', 'Running', 'Done'].map(phase => patched(object, { status: { phase } }))
  measure(`${size}: merge patch of status.phase`, index => mergePatch(object, { status: { phase: `p${index}` } }))
  measure(`${size}: json patch of status.phase`, index =>
    jsonPatch(object, [{ op: 'replace', path: '/status/phase', value: `p${index}` }]),
  )
  measure(`${size}: strategic merge patch of one condition`, index =>
    strategicMergePatch(object, { status: { conditions: [{ type: 'Condition1', reason: `r${index}` }] } }, shape),
  )
  measure(`${size}: trackUpdate after it`, index => track(object, phases[index % 3] ?? object, 'controller', 'status'))
  measure(`${size}: merge patch, then trackUpdate, nobody else's fields`, index =>
    track(object, patched(object, { status: { phase: `p${index}` } }), 'controller', 'status'),
  )
  measure(`${size}: the same by a manager new to the object`, index =>
    track(object, patched(object, { status: { phase: `p${index}` } }), 'other', 'status'),
  )
  const copy: KubeObject = structuredClone(object)
  measure(`${size}: trackUpdate of a PUT that shares nothing and changes nothing`, () =>
    track(object, copy, 'controller', ''),
  )
}

const body = {
  apiVersion: API_VERSION,
  kind: 'Bench',
  metadata: { name: 'one', labels: { app: 'bench' } },
  spec: {
    size: 3,
    parts: Array.from({ length: 30 }, (_, index) => ({ name: `part-${index}`, value: 'x'.repeat(40) })),
  },
}
const request = { manager: 'applier', force: true, apiVersion: API_VERSION, now: 0, shape }
const live = applyObject({ ...request, live: tracked(0), applied: body })
const bodySize = `${Math.round(JSON.stringify(body).length / 1024)} KB`
measure(`${bodySize}: apply that repeats`, () => applyObject({ ...request, live, applied: body }))
measure(`${bodySize}: apply that changes one field`, index =>
  applyObject({ ...request, live, applied: { ...body, spec: { ...body.spec, size: index + 4 } } }),
)
measure(`${bodySize}: apply that creates`, () => applyObject({ ...request, applied: body }))
