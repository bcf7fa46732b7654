/** Rules of roles: how they are read from objects and what they match. */
import type { Json, JsonObject } from '../api/object.ts'
import type { Access, PathAccess, ResourceAccess } from './access.ts'

/** One rule of a role. Absent lists of the API are empty here. */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const strings = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter(item => typeof item === 'string') : []

/** Reads `rules` of a role. What is not well formed grants nothing. */
export function readRules(rules: Json | undefined): readonly PolicyRule[] {
  if (!Array.isArray(rules)) return []
  return rules.filter(isObject).map(rule => ({
    verbs: strings(rule['verbs']),
    apiGroups: strings(rule['apiGroups']),
    resources: strings(rule['resources']),
    resourceNames: strings(rule['resourceNames']),
    nonResourceURLs: strings(rule['nonResourceURLs']),
  }))
}

const lists = ['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'] as const

/** The API form of a rule: verbs always, other lists only where they are not empty. */
export function ruleJson(rule: PolicyRule): JsonObject {
  const filled = lists.filter(list => list === 'verbs' || rule[list].length > 0)
  return Object.fromEntries(filled.map(list => [list, [...rule[list]]]))
}

/** `*` in a list means all. */
export const listCovers = (list: readonly string[], wanted: string) => list.includes(wanted) || list.includes('*')

/** `*`, the resource, `resource/subresource`, or `*` + `/subresource`. */
export function resourcesMatch(list: readonly string[], resource: string, subresource: string | undefined): boolean {
  if (!subresource) return listCovers(list, resource)
  return list.some(entry => entry === '*' || entry === `${resource}/${subresource}` || entry === `*/${subresource}`)
}

/** A trailing `*` matches any rest. */
export function pathMatches(pattern: string, path: string): boolean {
  if (pattern === path) return true
  let end = pattern.length
  while (pattern[end - 1] === '*') end--
  return end < pattern.length && path.startsWith(pattern.slice(0, end))
}

/** Name by which rules with `resourceNames` may match: objects that do not exist yet, or many, have none. */
export function matchableName(access: ResourceAccess): string | undefined {
  if (access.verb === 'deletecollection' || (access.verb === 'create' && !access.subresource)) return undefined
  return access.name || undefined
}

function matchesResource(rule: PolicyRule, access: ResourceAccess): boolean {
  if (!listCovers(rule.apiGroups, access.group)) return false
  if (!resourcesMatch(rule.resources, access.resource, access.subresource)) return false
  if (rule.resourceNames.length === 0) return true
  const name = matchableName(access)
  return name !== undefined && rule.resourceNames.includes(name)
}

const matchesPath = (rule: PolicyRule, access: PathAccess) =>
  rule.nonResourceURLs.some(pattern => pathMatches(pattern, access.path))

/** Whether the rule permits the request. */
export function ruleAllows(rule: PolicyRule, access: Access): boolean {
  if (!listCovers(rule.verbs, access.verb)) return false
  return access.path === undefined ? matchesResource(rule, access) : matchesPath(rule, access)
}
