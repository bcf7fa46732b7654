/** Events: `v1` and `events.k8s.io/v1` are two views of one collection, stored as `v1`. */
import { invalidValue, requiredValue } from '../../api/causes.ts'
import type { Json, JsonObject, KubeObject } from '../../api/object.ts'
import type { Cause } from '../../api/status-error.ts'
import { fieldAt } from '../../rest/selectors.ts'
import { ageOf } from '../../table/age.ts'
import { column, nameColumn } from '../../table/columns.ts'
import { defineBuiltin } from '../define.ts'
import { integer, microTime, record, type Schema, text, time } from '../openapi-types.ts'
import type { Column, Draft, Resource, View } from '../resource.ts'

const reference: Schema = record({
  kind: text,
  namespace: text,
  name: text,
  uid: text,
  apiVersion: text,
  resourceVersion: text,
  fieldPath: text,
})
const source = record({ component: text, host: text })

/** Names in `v1` and in `events.k8s.io/v1`. */
const renamed: readonly [string, string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]
const common = { type: text, reason: text, action: text, eventTime: microTime, related: reference }

const toNew = new Map(renamed)
const toOld = new Map(renamed.map(([old, fresh]) => [fresh, old]))

function rename(object: KubeObject, names: ReadonlyMap<string, string>, apiVersion: string): KubeObject {
  const renamedObject: KubeObject = { apiVersion, kind: 'Event', metadata: object.metadata }
  for (const [field, value] of Object.entries(object))
    if (field !== 'apiVersion' && field !== 'kind' && field !== 'metadata')
      renamedObject[names.get(field) ?? field] = value
  const series = renamedObject['series'] as JsonObject | undefined
  if (series) renamedObject['series'] = { ...series }
  return renamedObject
}

function required(draft: Draft, fields: readonly string[]): Cause[] {
  return fields.filter(field => !draft[field]).map(field => requiredValue(field))
}

const pathOf = (value: Json | undefined, field: string) => {
  const part = (value as JsonObject | undefined)?.[field]
  return typeof part === 'string' ? part : ''
}

/** The namespace of an event is that of its object; `default` for cluster-scoped objects. */
function namespaceCauses(draft: Draft, field: string): Cause[] {
  const namespace = draft.metadata.namespace ?? ''
  const wanted = pathOf(draft[field], 'namespace')
  const isRight = wanted === '' ? namespace === 'default' : namespace === wanted
  return isRight ? [] : [invalidValue(`${field}.namespace`, wanted, 'does not match event.namespace')]
}

function validateOld(draft: Draft): Cause[] {
  const causes = namespaceCauses(draft, 'involvedObject')
  if (draft['eventTime']) causes.push(...required(draft, ['reportingComponent', 'reportingInstance', 'action']))
  return causes
}

function validateNew(draft: Draft, current: KubeObject | undefined): Cause[] {
  const causes = namespaceCauses(draft, 'regarding')
  if (current) return causes
  causes.push(...required(draft, ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason']))
  if (draft['type'] !== 'Normal' && draft['type'] !== 'Warning')
    causes.push(invalidValue('type', draft['type'] ?? '', 'has invalid value'))
  return causes
}

const lastSeen = (object: KubeObject, nowMs: number) => {
  const series = object['series'] as { lastObservedTime?: string } | undefined
  const last = object['lastTimestamp'] ?? object['deprecatedLastTimestamp'] ?? series?.lastObservedTime
  return ageOf(String(last ?? object['eventTime'] ?? object.metadata.creationTimestamp), nowMs)
}

function eventColumns(involved: string, message: string): Column[] {
  const [kind, name] = [fieldAt(`${involved}.kind`), fieldAt(`${involved}.name`)]
  return [
    column('Last Seen', lastSeen),
    column('Type', 'type'),
    column('Reason', 'reason'),
    column('Object', object => `${kind(object).toLowerCase()}/${name(object)}`),
    column('Message', message),
    { ...nameColumn, priority: 1 },
  ]
}

const verbsAndRules = {
  plural: 'events',
  kind: 'Event',
  shortNames: ['ev'],
} as const

export const coreEvents: Resource = {
  ...defineBuiltin({
    ...verbsAndRules,
    description: 'Event is a report of something that happened to an object.',
    fields: {
      ...common,
      involvedObject: reference,
      message: text,
      source,
      firstTimestamp: time,
      lastTimestamp: time,
      count: integer,
      series: record({ count: integer, lastObservedTime: microTime }),
      reportingComponent: text,
      reportingInstance: text,
    },
    selectable: [
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'involvedObject.apiVersion',
      'involvedObject.resourceVersion',
      'involvedObject.fieldPath',
      'reason',
      'reportingComponent',
      'type',
    ],
    allColumns: eventColumns('involvedObject', 'message'),
    strategy: { createsOnUpdate: true, validate: validateOld },
  }),
}

const newEvents = defineBuiltin({
  ...verbsAndRules,
  group: 'events.k8s.io',
  description: 'Event is a report of something that happened to an object.',
  fields: {
    ...common,
    regarding: reference,
    note: text,
    deprecatedSource: source,
    deprecatedFirstTimestamp: time,
    deprecatedLastTimestamp: time,
    deprecatedCount: integer,
    series: record({ count: integer, lastObservedTime: microTime }),
    reportingController: text,
    reportingInstance: text,
  },
  selectable: [
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'regarding.apiVersion',
    'reason',
    'reportingController',
    'type',
  ],
  allColumns: eventColumns('regarding', 'note'),
  strategy: { createsOnUpdate: true, validate: validateNew },
})

export const events: Resource = {
  ...newEvents,
  collection: coreEvents.collection,
  view(stored): View {
    const object = rename(stored.object, toNew, 'events.k8s.io/v1')
    return { object, json: JSON.stringify(object) }
  },
  toStorage: object => rename(object, toOld, 'v1'),
}

const component: [string, (object: KubeObject) => string] = [
  'source',
  object => pathOf(object['source'], 'component') || fieldAt('reportingComponent')(object),
]
;(coreEvents.fields as Map<string, (object: KubeObject) => string>).set(...component)
