/** Validations per second: `node packages/kube-server/bench/schema.ts`. Figures only; nothing here is a test. */
import type { Json, JsonObject } from '../src/api/object.ts'
import { applyDefaults, compileSchema, prune, type Schema, validate } from '../src/schema/index.ts'

const name = { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' }
const condition = {
  type: 'object',
  required: ['type', 'status'],
  properties: {
    type: { type: 'string', maxLength: 316 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string', minLength: 1, maxLength: 1024 },
    message: { type: 'string', maxLength: 32_768 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
  },
}
const item = {
  type: 'object',
  required: ['name'],
  properties: {
    name,
    stage: { type: 'string', enum: ['Validating', 'Deploying', 'Registering', 'Cleaning', 'Completed'] },
    attempts: { type: 'integer', minimum: 0, default: 0 },
    labels: { type: 'object', additionalProperties: { type: 'string', maxLength: 63 } },
    port: { 'x-kubernetes-int-or-string': true },
    conditions: list(condition, ['type']),
  },
}

function list(items: JsonObject, keys: string[]): JsonObject {
  return { type: 'array', maxItems: 2000, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys, items }
}

function schema(withRules: boolean): Schema {
  const rules = [
    { rule: 'self.items.all(i, i.attempts >= 0)' },
    { rule: 'self.target == oldSelf.target', message: 'target cannot change' },
    { rule: "!has(self.target) || self.target != self.source || self.source == ''" },
  ]
  return compileSchema({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        required: ['source', 'items'],
        properties: { source: name, target: name, items: list(item, ['name']) },
        ...(withRules && { 'x-kubernetes-validations': rules }),
      },
      status: { type: 'object', properties: { conditions: list(condition, ['type']) } },
    },
  })
}

function object(items: number): JsonObject {
  const conditions = ['Ready', 'Progressing'].map(type => ({
    type,
    status: 'True',
    reason: 'AsExpected',
    message: `the ${type.toLowerCase()} condition holds`,
    lastTransitionTime: '2026-01-02T03:04:05Z',
    observedGeneration: 3,
  }))
  return {
    apiVersion: 'bench.example.com/v1',
    kind: 'Bench',
    metadata: { name: 'bench', namespace: 'default', labels: { a: 'b' } },
    spec: {
      source: 'hub-one',
      target: 'hub-two',
      items: Array.from({ length: items }, (_, i) => ({
        name: `cluster-${i}`,
        stage: 'Deploying',
        attempts: i % 5,
        labels: { region: 'north', cloud: 'metal' },
        port: i % 2 ? 80 : '80%',
        conditions,
      })),
    },
    status: { conditions },
  }
}

/** Calls per second, over about a second. */
function rate(run: () => void): number {
  for (let i = 0; i < 20; i++) run()
  const start = performance.now()
  let calls = 0
  while (performance.now() - start < 1000) {
    run()
    calls++
  }
  return calls / ((performance.now() - start) / 1000)
}

function measure(label: string, value: JsonObject): void {
  const text = JSON.stringify(value)
  const [plain, ruled] = [schema(false), schema(true)]
  const changed: JsonObject = { ...value, status: {} }
  const line = (what: string, run: () => void) =>
    console.log(
      `${label.padEnd(8)} ${(text.length / 1024).toFixed(1).padStart(6)} KiB  ${what.padEnd(34)} ${rate(run).toFixed(0).padStart(8)}/s`,
    )
  const write = (used: Schema) => {
    const copy: Json = JSON.parse(text)
    prune(used, copy)
    applyDefaults(used, copy)
    if (validate(used, copy, changed).length > 0) throw new Error('the sample must be valid')
  }
  line('validate', () => validate(plain, value))
  line('validate with 3 rules', () => validate(ruled, value))
  line('validate with 3 rules, update', () => validate(ruled, value, changed))
  line('parse, prune, default, validate', () => write(ruled))
}

measure('small', object(3))
measure('large', object(220))
