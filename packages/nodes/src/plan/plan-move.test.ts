import assert from 'node:assert/strict'
import { test } from 'node:test'
import { node, pod, set } from '../../test/set-world.ts'
import { planMove } from './plan-move.ts'

const nodes = [node('node-a'), node('node-b', { cordoned: true }), node('node-c')]
const plan = (host: string, replicas = 0) => {
  const of = set({ agent: { ...set().spec.agent, replicas } })
  const pods = Array.from({ length: replicas + 1 }, (_, slot) => pod(of, { slot, node: 'node-a' }))
  return planMove({ set: of, pods, nodes, podsOn: () => [], host })
}

test('a plan names the VM, the stages, and who follows', () => {
  const { isPossible, lines } = plan('node-c', 1)
  assert.equal(isPossible, true)
  assert.match(lines[0] ?? '', /vk-ns-demo-0-505043 of demo-0: from node node-a to node node-c/)
  assert.ok(lines.some(line => line.startsWith('Quiesce: ')))
  assert.ok(lines.includes('then, in the same way: demo-1 from node node-a'))
})

test('a plan says why a target would be waited for, and that nothing is stopped meanwhile', () => {
  const { isPossible, lines } = plan('node-b')
  assert.equal(isPossible, false)
  assert.match(lines[1] ?? '', /run on where it is: node node-b is cordoned/)
  assert.match(plan('node-x').lines[1] ?? '', /does not exist/)
})

test('a plan for where it is already says that there is nothing to do', () => {
  assert.match(plan('node-a').lines.join(), /nothing to do/)
})
