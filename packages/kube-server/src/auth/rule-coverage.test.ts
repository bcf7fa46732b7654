import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Access } from './access.ts'
import { user } from './cluster-fixture.ts'
import { type PolicyRule, ruleAllows } from './policy-rule.ts'
import { describeRule, missingRules } from './rule-coverage.ts'

const none: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }
const some = (...from: string[]) => fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 2 })

const resourceRule: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: some('get', 'list', '*'),
  apiGroups: some('', 'apps', '*'),
  resources: some('pods', 'pods/log', '*/log', '*'),
  resourceNames: fc.constantFrom<string[]>([], [], ['a'], ['a', 'b']),
  nonResourceURLs: fc.constant([]),
})
const pathRule: fc.Arbitrary<PolicyRule> = fc
  .record({ verbs: some('get', '*'), nonResourceURLs: some('/a', '/a/*', '/a/b', '*') })
  .map(rule => ({ ...none, ...rule }))
const rules = fc.array(fc.oneof(resourceRule, resourceRule, pathRule), { minLength: 1, maxLength: 4 })

const bob = user('bob')
const questions: Access[] = []
for (const verb of ['get', 'list', 'other']) {
  for (const path of ['/a', '/a/b', '/b']) questions.push({ user: bob, verb, path })
  for (const group of ['', 'apps', 'other'])
    for (const resource of ['pods', 'other'])
      for (const subresource of [undefined, 'log', 'other'])
        for (const name of [undefined, 'a', 'b', 'c'])
          questions.push({ user: bob, verb, group, resource, subresource, name })
}
const allows = (list: readonly PolicyRule[], question: Access) => list.some(rule => ruleAllows(rule, question))

test('who holds all that is granted could do everything that the grant permits', () => {
  let covered = 0
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      if (missingRules(held, wanted).length > 0) return
      covered++
      for (const question of questions) {
        assert.ok(!allows(wanted, question) || allows(held, question), JSON.stringify({ held, wanted, question }))
      }
    }),
    { numRuns: 3000 },
  )
  assert.ok(covered > 100, `the rules must be able to cover each other, only ${covered} did`)
})

test('what is missing and what is held cover the grant together', () => {
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      assert.deepEqual(missingRules([...held, ...missingRules(held, wanted)], wanted), [])
    }),
    { numRuns: 1000 },
  )
})

test('everything covers itself, nothing covers something', () => {
  fc.assert(
    fc.property(rules, list => {
      assert.deepEqual(missingRules(list, list), [])
      assert.ok(missingRules([], list).length > 0)
    }),
  )
})

test('rules that would take minutes to compare are refused', () => {
  const many = (prefix: string) =>
    Array.from({ length: 50_000 }, (_, i) => ({
      ...none,
      verbs: ['get'],
      apiGroups: [''],
      resources: [`${prefix}${i}`],
    }))
  assert.throws(() => missingRules(many('a'), many('b')), { name: 'TooManyRights', message: /too many rules/ })
  assert.deepEqual(missingRules(many('a').slice(0, 1000), many('a').slice(0, 1000)), [])
})

test('a rule is told on one line, empty lists left out', () => {
  const rule = { ...none, verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }
  assert.equal(describeRule(rule), '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}')
  assert.equal(
    describeRule({ ...none, verbs: ['get'], nonResourceURLs: ['/a'] }),
    '{NonResourceURLs:["/a"], Verbs:["get"]}',
  )
})
