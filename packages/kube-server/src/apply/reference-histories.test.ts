import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { deepFreeze } from '../../test/json-arbitrary.ts'
import type { JsonObject, KubeObject } from '../api/object.ts'
import type { ApplyBody } from './apply-object.ts'
import { applyBodyErrors, bodyErrorText } from './body-errors.ts'
import { API_VERSION, apply, update, widgetShape } from './widget-fixture.ts'

/** One write and what the field manager of Kubernetes 1.32 made of it. Entries carry `timed` instead of their time. */
interface Step {
  readonly verb: 'apply' | 'update'
  readonly manager: string
  readonly force?: boolean
  readonly subresource?: string
  readonly body: JsonObject & { metadata: JsonObject }
  readonly live?: JsonObject
  readonly error?: string
}

const file = new URL('../../test/apply-histories.generated.json', import.meta.url)
const histories: readonly Step[][] = JSON.parse(readFileSync(file, 'utf8'))

describe('the recorded histories of the real field manager', () => {
  for (const [number, steps] of histories.entries())
    it(`come out the same: history ${number + 1}`, () => {
      let live: KubeObject | undefined
      for (const step of steps) live = play(live, step) ?? live
    })

  it('are all there', () => assert.equal(histories.flat().length, 96))
})

function play(live: KubeObject | undefined, step: Step): KubeObject | undefined {
  const { verb, manager, force = false, subresource } = step
  const body = deepFreeze({ ...step.body, apiVersion: API_VERSION, kind: 'Widget' })
  const how = { force, ...(subresource && { subresource }) }
  if (step.error !== undefined) {
    assert.equal(refusal(live, step, body), step.error)
    return undefined
  }
  const result = verb === 'apply' ? apply(live, manager, body, how) : update(live, manager, body, how)
  assert.deepEqual(comparable(result), comparable(step.live as KubeObject))
  return { ...result, metadata: { ...result.metadata, uid: 'u1' } }
}

function refusal(live: KubeObject | undefined, step: Step, body: ApplyBody): string {
  const errors = applyBodyErrors(body, widgetShape)
  if (errors.length > 0)
    return `failed to create typed patch object (/a; ${API_VERSION}, Kind=Widget): ${bodyErrorText(errors)}`
  try {
    apply(live, step.manager, body, { force: step.force ?? false })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'it was accepted'
}

function comparable(object: KubeObject): JsonObject {
  const { managedFields = [], uid: _, ...metadata } = object.metadata
  const entries = managedFields.map(({ time, timed, apiVersion: _, fieldsType: __, ...entry }) => ({
    ...entry,
    timed: timed ?? time !== undefined,
  }))
  const owners = entries.sort((left, right) =>
    JSON.stringify(identity(left)) < JSON.stringify(identity(right)) ? -1 : 1,
  )
  const { apiVersion: __, kind: ___, ...rest } = object
  return { ...rest, metadata: { ...metadata, owners } }
}

const identity = ({ manager, operation, subresource }: JsonObject) => [manager, operation, subresource ?? '']
