import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vmNameOf } from './names.ts'

test('names of VMs carry the first six digits of the hash of namespace and pod', () => {
  assert.equal(vmNameOf('ns', 'demo-0'), 'vk-ns-demo-0-505043')
  assert.equal(vmNameOf('ns', 'demo-1'), 'vk-ns-demo-1-d239dc')
})

test('namespaces with dashes do not share a VM name', () => {
  assert.notEqual(vmNameOf('a-b', 'c-0'), vmNameOf('a', 'b-c-0'))
})

test('dots of a pod name become dashes, and the hash is of the original name', () => {
  assert.match(vmNameOf('ns', 'my.set-0'), /^vk-ns-my-set-0-[0-9a-f]{6}$/)
  assert.notEqual(vmNameOf('ns', 'my.set-0'), vmNameOf('ns', 'my-set-0'))
})
