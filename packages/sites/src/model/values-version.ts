/**
 * Which edit of a subcloud's bootstrap values is newer, without comparing clocks: each site counts its own edits. One
 * that has seen all of the other's is newer; two that have each something of their own are in conflict (H14).
 */

/** Number of edits by site id. */
export type ValuesVersion = Readonly<Record<string, number>>

export type Order = 'equal' | 'older' | 'newer' | 'conflict'

/** How `left` stands to `right`. */
export function compareVersions(left: ValuesVersion, right: ValuesVersion): Order {
  const sites = new Set([...Object.keys(left), ...Object.keys(right)])
  const differences = [...sites].map(site => (left[site] ?? 0) - (right[site] ?? 0))
  const hasMore = differences.some(difference => difference > 0)
  const hasLess = differences.some(difference => difference < 0)
  if (hasMore && hasLess) return 'conflict'
  if (hasMore) return 'newer'
  return hasLess ? 'older' : 'equal'
}

/** Of a site's own edit; an edit made in sight of the other side's version settles a conflict with it. */
export function nextVersion(own: ValuesVersion, site: string, seen: ValuesVersion = {}): ValuesVersion {
  const merged = mergeVersions(own, seen)
  return { ...merged, [site]: (merged[site] ?? 0) + 1 }
}

export function mergeVersions(left: ValuesVersion, right: ValuesVersion): ValuesVersion {
  const sites = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
  return Object.fromEntries(sites.map(site => [site, Math.max(left[site] ?? 0, right[site] ?? 0)]))
}
