/** Defaults and validity of roles and bindings. Pure. */
import { invalidValue, requiredValue, unsupportedValue } from '../api/causes.ts'
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { objectOf, rbacGroup } from './rbac-objects.ts'

const isEmpty = (value: Json | undefined) => !Array.isArray(value) || value.length === 0

function ruleCauses(rule: JsonObject, at: string, isNamespaced: boolean): Cause[] {
  const causes: Cause[] = []
  if (isEmpty(rule['verbs'])) causes.push(requiredValue(`${at}.verbs`, 'verbs must contain at least one value'))
  if (!isEmpty(rule['nonResourceURLs'])) {
    const urls = rule['nonResourceURLs']
    if (isNamespaced) {
      causes.push(invalidValue(`${at}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'))
    }
    const hasResources = ['apiGroups', 'resources', 'resourceNames'].some(list => !isEmpty(rule[list]))
    if (hasResources) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs'
      causes.push(invalidValue(`${at}.nonResourceURLs`, urls, why))
    }
    return causes
  }
  if (isEmpty(rule['apiGroups'])) {
    causes.push(requiredValue(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
  }
  if (isEmpty(rule['resources'])) {
    causes.push(requiredValue(`${at}.resources`, 'resource rules must supply at least one resource'))
  }
  return causes
}

/** Causes for the rules of a Role (`isNamespaced`) or ClusterRole. */
export function validateRole(role: JsonObject, isNamespaced: boolean): Cause[] {
  const rules = role['rules']
  if (!Array.isArray(rules)) return []
  return rules.flatMap((rule, index) => ruleCauses(objectOf(rule), `rules[${index}]`, isNamespaced))
}

const apiGroupOf = (kind: Json | undefined) => (kind === 'ServiceAccount' ? '' : rbacGroup)

/** Fills in the API groups of roleRef and subjects, in place. */
export function defaultBinding(binding: JsonObject): void {
  const roleRef = objectOf(binding['roleRef'])
  if (!roleRef['apiGroup']) roleRef['apiGroup'] = rbacGroup
  binding['roleRef'] = roleRef
  const subjects = binding['subjects']
  if (!Array.isArray(subjects)) return
  for (const subject of subjects.map(objectOf)) {
    if (!subject['apiGroup'] && apiGroupOf(subject['kind'])) subject['apiGroup'] = apiGroupOf(subject['kind'])
  }
}

function roleRefCauses(roleRef: JsonObject, isNamespaced: boolean): Cause[] {
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  const { apiGroup, kind, name } = roleRef
  return [
    ...(apiGroup === rbacGroup ? [] : [unsupportedValue('roleRef.apiGroup', apiGroup ?? '', [rbacGroup])]),
    ...(kinds.includes(String(kind)) ? [] : [unsupportedValue('roleRef.kind', kind ?? '', kinds)]),
    ...(name ? [] : [requiredValue('roleRef.name')]),
  ]
}

function subjectCauses(subject: JsonObject, at: string): Cause[] {
  const { apiGroup = '', kind, name, namespace } = subject
  const causes = name ? [] : [requiredValue(`${at}.name`)]
  const kinds = ['Group', 'ServiceAccount', 'User']
  if (!kinds.includes(String(kind))) return [...causes, unsupportedValue(`${at}.kind`, kind ?? '', kinds)]
  const wanted = apiGroupOf(kind)
  if (apiGroup !== wanted) causes.push(unsupportedValue(`${at}.apiGroup`, apiGroup, [wanted]))
  if (kind === 'ServiceAccount' && !namespace) causes.push(requiredValue(`${at}.namespace`))
  return causes
}

/** Causes for a RoleBinding (`isNamespaced`) or ClusterRoleBinding; `previous` is the stored state of an update. */
export function validateBinding(binding: JsonObject, isNamespaced: boolean, previous?: JsonObject): Cause[] {
  const subjects = Array.isArray(binding['subjects']) ? binding['subjects'] : []
  return [
    ...roleRefCauses(objectOf(binding['roleRef']), isNamespaced),
    ...subjects.flatMap((subject, index) => subjectCauses(objectOf(subject), `subjects[${index}]`)),
    ...(previous ? roleRefChange(binding, previous) : []),
  ]
}

/** The cause when an update changes roleRef, which no update may. */
export function roleRefChange(binding: JsonObject, previous: JsonObject): Cause[] {
  const now = objectOf(binding['roleRef'])
  const before = objectOf(previous['roleRef'])
  if (['apiGroup', 'kind', 'name'].every(member => now[member] === before[member])) return []
  const member = (name: string) => JSON.stringify(now[name] ?? '')
  const shown = `rbac.RoleRef{APIGroup:${member('apiGroup')}, Kind:${member('kind')}, Name:${member('name')}}`
  return [{ reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: cannot change roleRef`, field: 'roleRef' }]
}
