/** Compares sets of rules: does what one holds cover what one gives away? Pure. */
import { listCovers, type PolicyRule, pathMatches } from './policy-rule.ts'

/**
 * More single rights than any sane role grants. Beyond it the comparison is refused: a role of 1 MiB could otherwise ask
 * for billions of them.
 */
const MAX_RIGHTS = 100_000
/**
 * Names and words looked at in one comparison, about half a second: whoever may write roles may hold as many rules as
 * they like, and nobody else is answered meanwhile.
 */
const MAX_LOOKS = 200_000_000

/** One right: one verb on one resource (of one name, perhaps) or on one path. */
interface Right {
  readonly verb: string
  readonly apiGroup?: string
  readonly resource?: string
  readonly resourceName?: string
  readonly path?: string
}

/** Thrown when rules are too many to be compared. */
export class TooManyRights extends Error {
  override readonly name = 'TooManyRights'
}

function* unfold(rule: PolicyRule): Generator<Right> {
  for (const verb of rule.verbs) {
    for (const path of rule.nonResourceURLs) yield { verb, path }
    for (const apiGroup of rule.apiGroups) {
      for (const resource of rule.resources) {
        if (rule.resourceNames.length === 0) yield { verb, apiGroup, resource }
        for (const resourceName of rule.resourceNames) yield { verb, apiGroup, resource, resourceName }
      }
    }
  }
}

function countRights(rules: readonly PolicyRule[]): number {
  let count = 0
  for (const rule of rules) {
    const objects = rule.apiGroups.length * rule.resources.length * Math.max(1, rule.resourceNames.length)
    count += rule.verbs.length * (objects + rule.nonResourceURLs.length)
  }
  return count
}

function resourceCovered(held: readonly string[], wanted: string): boolean {
  if (listCovers(held, wanted)) return true
  const slash = wanted.indexOf('/')
  return slash >= 0 && held.includes(`*${wanted.slice(slash)}`)
}

function covers(held: PolicyRule, right: Right): boolean {
  if (!listCovers(held.verbs, right.verb)) return false
  const { path } = right
  if (path !== undefined) return held.nonResourceURLs.some(pattern => pathMatches(pattern, path))
  const { apiGroup = '', resource = '', resourceName } = right
  if (!listCovers(held.apiGroups, apiGroup) || !resourceCovered(held.resources, resource)) return false
  if (held.resourceNames.length === 0) return true
  return resourceName !== undefined && held.resourceNames.includes(resourceName)
}

const sizeOf = (rule: PolicyRule) =>
  rule.verbs.length +
  rule.apiGroups.length +
  rule.resources.length +
  rule.resourceNames.length +
  rule.nonResourceURLs.length

function isCovered(right: Right, held: readonly PolicyRule[], budget: { looks: number }): boolean {
  for (const own of held) {
    budget.looks -= sizeOf(own)
    if (budget.looks < 0) throw new TooManyRights('there are too many rules to compare them')
    if (covers(own, right)) return true
  }
  return false
}

const groupKey = ({ apiGroup, resource, resourceName, path }: Right) =>
  JSON.stringify([apiGroup, resource, resourceName, path])

function merge(rights: readonly Right[]): PolicyRule[] {
  const groups = new Map<string, Right[]>()
  for (const right of rights) {
    const key = groupKey(right)
    const group = groups.get(key)
    if (group) group.push(right)
    else groups.set(key, [right])
  }
  const list = (value: string | undefined) => (value === undefined ? [] : [value])
  return [...groups.values()].flatMap(group => {
    const [first] = group
    if (first === undefined) return []
    return [
      {
        verbs: [...new Set(group.map(right => right.verb))],
        apiGroups: list(first.apiGroup),
        resources: list(first.resource),
        resourceNames: list(first.resourceName),
        nonResourceURLs: list(first.path),
      },
    ]
  })
}

/** What `wanted` grants beyond `held`: one rule for each resource or path, empty when all is covered. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  if (countRights(wanted) > MAX_RIGHTS) throw new TooManyRights(`rules grant more than ${MAX_RIGHTS} single rights`)
  const missing: Right[] = []
  const budget = { looks: MAX_LOOKS }
  for (const rule of wanted) {
    for (const right of unfold(rule)) if (!isCovered(right, held, budget)) missing.push(right)
  }
  return merge(missing)
}

/** `["a" "b"]`. */
export const quoteList = (list: readonly string[]) => `[${list.map(item => JSON.stringify(item)).join(' ')}]`

/** A rule on one line: `{APIGroups:[""], Resources:["secrets"], Verbs:["list"]}`. */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[]][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  const filled = parts.filter(([, list]) => list.length > 0)
  return `{${filled.map(([title, list]) => `${title}:${quoteList(list)}`).join(', ')}}`
}
