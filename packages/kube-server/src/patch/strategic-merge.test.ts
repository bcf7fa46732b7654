import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyObject, deepFreeze, hostileText } from '../../test/json-arbitrary.ts'
import type { JsonObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import { builtinShape } from '../apply/index.ts'
import { isObject } from './json-value.ts'
import { mergePatch } from './merge-patch.ts'
import { strategicMergePatch } from './strategic-merge.ts'

const pod = builtinShape('v1', 'Pod')
const request = builtinShape('certificates.k8s.io/v1', 'CertificateSigningRequest')
const service = builtinShape('v1', 'Service')

function patchPod(target: JsonObject, patch: JsonObject): JsonObject {
  return strategicMergePatch(deepFreeze(target), deepFreeze(patch), pod)
}

const container = (name: string, image = 'x'): JsonObject => ({ name, image })

describe('strategic merge patch', () => {
  it('agrees with the recorded results of the real implementation', () => {
    const file = new URL('../../test/strategic-merges.generated.json', import.meta.url)
    const samples: { target: JsonObject; patch: JsonObject; result: JsonObject }[] = JSON.parse(
      readFileSync(file, 'utf8'),
    )
    assert.equal(samples.length, 40)
    for (const { target, patch, result } of samples) assert.deepEqual(patchPod(target, patch), result)
  })

  it('merges a keyed list item by item and puts new items first', () => {
    const target = { spec: { containers: [container('a'), { ...container('b'), command: ['run'] }] } }
    const patch = { spec: { containers: [container('c'), container('b', 'y')] } }
    assert.deepEqual(patchPod(target, patch), {
      spec: { containers: [container('c'), container('a'), { ...container('b', 'y'), command: ['run'] }] },
    })
  })

  it('merges owner references by uid and finalizers as a set', () => {
    const target = { metadata: { finalizers: ['one'], ownerReferences: [{ uid: '1', name: 'a' }] } }
    const patch = { metadata: { finalizers: ['two', 'one'], ownerReferences: [{ uid: '2', name: 'b' }] } }
    assert.deepEqual(patchPod(target, patch), {
      metadata: {
        finalizers: ['two', 'one'],
        ownerReferences: [
          { uid: '2', name: 'b' },
          { uid: '1', name: 'a' },
        ],
      },
    })
  })

  it('deletes items and scalars by directive', () => {
    const target = { metadata: { finalizers: ['one', 'two'], ownerReferences: [{ uid: '1' }, { uid: '2' }] } }
    const patch = {
      metadata: {
        ownerReferences: [{ uid: '1', $patch: 'delete' }],
        '$deleteFromPrimitiveList/finalizers': ['one', 'three'],
      },
    }
    assert.deepEqual(patchPod(target, patch), { metadata: { finalizers: ['two'], ownerReferences: [{ uid: '2' }] } })
  })

  it('replaces a list that holds the replace directive', () => {
    const target = { spec: { containers: [container('a'), container('b')] } }
    const patch = { spec: { containers: [{ $patch: 'replace' }, container('c')] } }
    assert.deepEqual(patchPod(target, patch), { spec: { containers: [container('c')] } })
  })

  it('replaces and empties objects by directive', () => {
    const target = { metadata: { labels: { a: '1' }, annotations: { b: '2' } } }
    const patch = { metadata: { labels: { $patch: 'replace', c: '3' }, annotations: { $patch: 'delete' } } }
    assert.deepEqual(patchPod(target, patch), { metadata: { labels: { c: '3' }, annotations: {} } })
    assert.deepEqual(patchPod(target, { $patch: 'delete' }), {})
    assert.deepEqual(patchPod(target, { metadata: { labels: { $patch: 'merge', c: '3' } } }), {
      metadata: { labels: { a: '1', c: '3' }, annotations: { b: '2' } },
    })
  })

  it('puts items into the order of the patch and keeps the others where they stood', () => {
    const target = { spec: { containers: [container('a'), container('b'), container('c')] } }
    const patch = {
      spec: {
        containers: [container('d')],
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'd' }, { name: 'a' }],
      },
    }
    assert.deepEqual(patchPod(target, patch), {
      spec: { containers: [container('b'), container('c'), container('d'), container('a')] },
    })
    const order = { metadata: { '$setElementOrder/finalizers': ['two', 'one'] } }
    assert.deepEqual(patchPod({ metadata: { finalizers: ['one', 'two'] } }, order), {
      metadata: { finalizers: ['two', 'one'] },
    })
  })

  it('keeps only the retained keys', () => {
    const target = { spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } }
    const patch = { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] } }
    assert.deepEqual(patchPod(target, patch), { spec: { volumes: [{ name: 'v', emptyDir: {} }] } })
  })

  it('takes nulls and directives out of what is new', () => {
    const patch = {
      spec: {
        hostname: null,
        containers: [
          { ...container('a'), env: null },
          { name: 'gone', $patch: 'delete' },
        ],
        volumes: [{ name: 'v', $retainKeys: ['name'] }],
      },
    }
    assert.deepEqual(patchPod({}, patch), { spec: { containers: [container('a')], volumes: [{ name: 'v' }] } })
  })

  it('merges service ports by port alone', () => {
    const target = { spec: { ports: [{ port: 80, name: 'web', protocol: 'TCP' }] } }
    const patch = { spec: { ports: [{ port: 80, name: 'http' }] } }
    assert.deepEqual(strategicMergePatch(target, patch, service), {
      spec: { ports: [{ port: 80, name: 'http', protocol: 'TCP' }] },
    })
  })

  it('replaces atomic lists, and conditions of kinds that declare no merge key', () => {
    const target = { spec: { tolerations: [{ key: 'a' }] }, status: { conditions: [{ type: 'A' }] } }
    const patch = { spec: { tolerations: [{ key: 'b' }] }, status: { conditions: [{ type: 'B' }] } }
    assert.deepEqual(strategicMergePatch(target, patch, pod), {
      spec: { tolerations: [{ key: 'b' }] },
      status: { conditions: [{ type: 'B' }, { type: 'A' }] },
    })
    assert.deepEqual(strategicMergePatch(target, patch, request)['status'], { conditions: [{ type: 'B' }] })
  })

  it('returns the target itself when nothing changes, and shares what does not', () => {
    const target = { metadata: { finalizers: ['f'] }, spec: { containers: [container('a'), container('b')] } }
    assert.equal(patchPod(target, { metadata: { finalizers: ['f'] }, spec: { containers: [container('b')] } }), target)
    const result = patchPod(target, { spec: { containers: [container('b', 'y')] } })
    assert.ok(isObject(result['spec']) && Array.isArray(result['spec']['containers']))
    assert.equal(result['metadata'], target.metadata)
    assert.equal(result['spec']['containers'][0], target.spec.containers[0])
  })

  const senseless: readonly (readonly [string, JsonObject])[] = [
    ['an unknown directive', { spec: { $patch: 'explode' } }],
    ['an unknown directive in a list', { spec: { containers: [{ name: 'a', $patch: 'explode' }] } }],
    ['an item without its key', { spec: { containers: [{ image: 'x' }] } }],
    ['a scalar among objects', { spec: { containers: ['a'] } }],
    ['retained keys that are no list', { spec: { $retainKeys: 'x' } }],
    ['a member that is not retained', { spec: { $retainKeys: ['hostname'], nodeName: 'n' } }],
    ['an order that is no list', { spec: { '$setElementOrder/containers': 'x' } }],
    [
      'an order that contradicts the list',
      {
        spec: {
          containers: [container('a'), container('b')],
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
        },
      },
    ],
    ['deletions that are no list', { metadata: { '$deleteFromPrimitiveList/finalizers': 'x' } }],
  ]
  for (const [what, patch] of senseless)
    it(`refuses ${what} with 400`, () => {
      const target = { metadata: { finalizers: ['f'] }, spec: { containers: [container('a')] } }
      assert.throws(
        () => patchPod(target, patch),
        error => error instanceof StatusError && error.code === 400,
      )
    })

  it('is a merge patch where no list is declared', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (target, patch) => {
        assert.deepEqual(
          strategicMergePatch({ data: target }, { data: patch }, pod),
          mergePatch({ data: target }, { data: patch }),
        )
      }),
    )
  })

  it('never changes its inputs and leaves no trace on other objects', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (target, patch) => {
        const spec = (text: string): JsonObject => ({
          spec: deepFreeze(JSON.parse(text)),
          metadata: deepFreeze(JSON.parse(text)),
        })
        strategicMergePatch(spec(target), spec(patch), pod)
        assert.deepEqual(Object.keys(Object.prototype), [])
      }),
    )
  })
})
