import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { rbacGroup } from './rbac-objects.ts'
import { defaultBinding, roleRefChange, validateBinding, validateRole } from './rbac-validation.ts'

const fields = (causes: readonly { field: string; message: string }[]) =>
  causes.map(cause => `${cause.field}: ${cause.message}`)

const roles: readonly [string, JsonObject, readonly string[]][] = [
  ['no rules', {}, []],
  ['a whole rule', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, []],
  [
    'no verbs',
    { apiGroups: [''], resources: ['pods'] },
    ['rules[0].verbs: Required value: verbs must contain at least one value'],
  ],
  [
    'verbs alone',
    { verbs: ['get'] },
    [
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ],
  [
    'a path in a namespaced role',
    { verbs: ['get'], nonResourceURLs: ['/a'] },
    ['rules[0].nonResourceURLs: Invalid value: "array": namespaced rules cannot apply to non-resource URLs'],
  ],
]

for (const [what, rule, expected] of roles) {
  test(`a role with ${what} has ${expected.length} causes`, () => {
    const rules = Object.keys(rule).length > 0 ? [rule] : []
    assert.deepEqual(fields(validateRole({ rules }, true)), expected)
  })
}

test('a cluster role may have paths, but not in one rule with resources', () => {
  const rule = { verbs: ['get'], nonResourceURLs: ['/a'] }
  assert.deepEqual(validateRole({ rules: [rule] }, false), [])
  assert.match(
    fields(validateRole({ rules: [{ ...rule, resources: ['pods'] }] }, false)).join(),
    /rules cannot apply to both regular resources and non-resource URLs$/,
  )
})

const binding = (more: JsonObject = {}): JsonObject => ({
  roleRef: { apiGroup: rbacGroup, kind: 'Role', name: 'r' },
  subjects: [{ kind: 'User', apiGroup: rbacGroup, name: 'bob' }],
  ...more,
})

test('API groups of roleRef and subjects are filled in', () => {
  const draft: JsonObject = {
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [
      { kind: 'User', name: 'u' },
      { kind: 'Group', name: 'g' },
      { kind: 'ServiceAccount', name: 's', namespace: 'n' },
    ],
  }
  defaultBinding(draft)
  assert.deepEqual(draft, {
    roleRef: { apiGroup: rbacGroup, kind: 'Role', name: 'r' },
    subjects: [
      { kind: 'User', apiGroup: rbacGroup, name: 'u' },
      { kind: 'Group', apiGroup: rbacGroup, name: 'g' },
      { kind: 'ServiceAccount', name: 's', namespace: 'n' },
    ],
  })
  assert.deepEqual(validateBinding(draft, true), [])
})

const bindings: readonly [string, JsonObject, boolean, readonly string[]][] = [
  ['a cluster role binding of a Role', binding(), false, ['roleRef.kind']],
  ['a role without name', binding({ roleRef: { apiGroup: rbacGroup, kind: 'Role' } }), true, ['roleRef.name']],
  ['another API group', binding({ roleRef: { apiGroup: 'x', kind: 'Role', name: 'r' } }), true, ['roleRef.apiGroup']],
  [
    'a subject without name',
    binding({ subjects: [{ kind: 'User', apiGroup: rbacGroup }] }),
    true,
    ['subjects[0].name'],
  ],
  ['a subject of another kind', binding({ subjects: [{ kind: 'Pod', name: 'p' }] }), true, ['subjects[0].kind']],
  [
    'an account without namespace',
    binding({ subjects: [{ kind: 'ServiceAccount', name: 's' }] }),
    true,
    ['subjects[0].namespace'],
  ],
  [
    'an account in an API group',
    binding({ subjects: [{ kind: 'ServiceAccount', apiGroup: 'x', name: 's', namespace: 'n' }] }),
    true,
    ['subjects[0].apiGroup'],
  ],
  ['no subjects', binding({ subjects: null }), true, []],
]

for (const [what, body, isNamespaced, expected] of bindings) {
  test(`a binding with ${what} has causes at: ${expected.join() || 'nothing'}`, () => {
    assert.deepEqual(
      validateBinding(body, isNamespaced).map(cause => cause.field),
      expected,
    )
  })
}

test('roleRef cannot change', () => {
  const changed = binding({ roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: 'view' } })
  assert.deepEqual(roleRefChange(binding(), binding()), [])
  assert.deepEqual(fields(validateBinding(changed, true, binding())), [
    'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"view"}: cannot change roleRef',
  ])
})
