import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { apply, fieldsOf, update, widget } from './widget-fixture.ts'

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'

/** An object as `kubectl apply` without server-side apply leaves it. */
function appliedByClient(spec: JsonObject, annotation: string = JSON.stringify(widget({ spec }))): KubeObject {
  return update(undefined, 'kubectl-client-side-apply', widget({ spec }, { annotations: { [ANNOTATION]: annotation } }))
}

const annotationOf = (object: KubeObject) => object.metadata.annotations?.[ANNOTATION]

describe('a server-side apply by kubectl after client-side ones', () => {
  it('takes the fields that the annotation names, and renews the annotation', () => {
    const live = appliedByClient({ size: 1, color: 'red' })
    const next = apply(live, 'kubectl', widget({ spec: { size: 2, color: 'red' } }))
    assert.deepEqual(next['spec'], { size: 2, color: 'red' })
    assert.equal(
      annotationOf(next),
      '{"apiVersion":"checks.example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"color":"red","size":2}}\n',
    )
    assert.deepEqual(fieldsOf(next, 'kubectl'), { 'f:spec': { 'f:color': {}, 'f:size': {} } })
    assert.equal(apply(next, 'kubectl', widget({ spec: { color: 'red', size: 2 } })), next)
  })

  it('does not take what others wrote since, nor fields the annotation does not name', () => {
    const live = appliedByClient({ size: 1, color: 'red' })
    const changed = update(live, 'other', { ...live, spec: { size: 5, color: 'red', maybe: 'x' } })
    assert.throws(
      () => apply(changed, 'kubectl', widget({ spec: { size: 2, color: 'blue', maybe: 'y' } })),
      /Apply failed with 2 conflicts: conflicts with "other" using .*:\n- \.spec\.maybe\n- \.spec\.size$/,
    )
  })

  it('is a conflict for any other manager', () => {
    const live = appliedByClient({ size: 1 })
    assert.throws(
      () => apply(live, 'flux', widget({ spec: { size: 2 } })),
      /conflict with "kubectl-client-side-apply" using/,
    )
  })

  for (const annotation of ['oops', '7', '{"spec":{"undeclared":1,"size":1}}'])
    it(`finds nothing to take over in ${annotation}`, () => {
      const live = appliedByClient({ size: 1 }, annotation)
      assert.throws(() => apply(live, 'kubectl', widget({ spec: { size: 2 } })), /Apply failed with 1 conflict/)
    })

  it('drops an annotation that would grow too large, and makes none where there was none', () => {
    const live = appliedByClient({ size: 1 })
    const large = apply(live, 'kubectl', widget({ spec: { color: 'x'.repeat(300_000) } }))
    assert.equal(annotationOf(large), undefined)
    const bare = update(undefined, 'u', widget({ spec: { size: 1 } }))
    assert.equal(annotationOf(apply(bare, 'kubectl', widget({ spec: { size: 1 } }))), undefined)
  })
})
