/** A custom kind with every kind of list and map, for the tests of this folder. */
import type { JsonObject, KubeObject } from '../api/object.ts'
import { type ApplyBody, applyObject } from './apply-object.ts'
import { withManagers } from './managers.ts'
import { shapeOfSchema } from './shape-of-schema.ts'
import { trackUpdate } from './track-update.ts'

export const API_VERSION = 'checks.example.com/v1'

const text: JsonObject = { type: 'string' }
const record = (properties: JsonObject): JsonObject => ({ type: 'object', properties })
const keyedBy = (keys: string[], properties: JsonObject): JsonObject => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
  items: record(properties),
})

export const widgetSchema: JsonObject = record({
  spec: record({
    size: { type: 'integer' },
    color: text,
    maybe: { ...text, nullable: true },
    blob: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    atom: { ...record({ a: text, b: text }), 'x-kubernetes-map-type': 'atomic' },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    plain: { type: 'array', items: text },
    rows: { type: 'array', items: record({ cell: text }) },
    parts: keyedBy(['name'], { name: text, qty: { type: 'integer' }, sub: record({ x: text, y: text }) }),
    ports: keyedBy(['port', 'protocol'], {
      port: { type: 'integer' },
      protocol: { ...text, default: 'TCP' },
      name: text,
    }),
    opts: { type: 'object', additionalProperties: text },
    groups: { type: 'object', additionalProperties: record({ x: text, y: text }) },
    deep: record({ one: record({ a: text, b: text }), two: text }),
    target: { 'x-kubernetes-int-or-string': true },
    template: { ...record({ spec: record({ x: text }) }), 'x-kubernetes-embedded-resource': true },
  }),
  status: record({ phase: text, conditions: keyedBy(['type'], { type: text, status: text, reason: text }) }),
})

export const widgetShape = shapeOfSchema(widgetSchema)

/** A body or object called `a`. */
export function widget(members: JsonObject = {}, metadata: JsonObject = {}): ApplyBody {
  return { apiVersion: API_VERSION, kind: 'Widget', metadata: { name: 'a', ...metadata }, ...members }
}

interface How {
  readonly force?: boolean
  readonly now?: number
  readonly subresource?: string
  readonly ignored?: readonly string[]
}

/** Applies `body` for `manager`; time stands at 0 unless told otherwise. */
export function apply(live: KubeObject | undefined, manager: string, body: ApplyBody, how: How = {}): KubeObject {
  const { force = false, now = 0, ...rest } = how
  return applyObject({ live, applied: body, manager, force, apiVersion: API_VERSION, now, shape: widgetShape, ...rest })
}

/** The object an Update manager leaves behind. */
export function update(before: KubeObject | undefined, manager: string, after: JsonObject, how: How = {}): KubeObject {
  const next = after as KubeObject
  const { now = 0, subresource } = how
  return withManagers(
    next,
    trackUpdate({ before, after: next, manager, apiVersion: API_VERSION, now, subresource, shape: widgetShape }),
  )
}

/** The set of one manager; undefined when it owns nothing. */
export function fieldsOf(object: KubeObject, manager: string, subresource?: string): JsonObject | undefined {
  return object.metadata.managedFields?.find(entry => entry.manager === manager && entry.subresource === subresource)
    ?.fieldsV1
}
