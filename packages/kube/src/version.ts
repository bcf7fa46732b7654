const DECIMAL = /^(?:0|[1-9][0-9]*)$/

/**
 * Order of two resource versions of ONE server: negative when `left` is older, undefined when they cannot be compared
 * (missing, or not the decimal numbers that Kubernetes writes).
 */
export function compareVersions(left: string | undefined, right: string | undefined): number | undefined {
  if (left === undefined || right === undefined || !DECIMAL.test(left) || !DECIMAL.test(right)) return undefined
  if (left.length !== right.length) return left.length - right.length
  return left < right ? -1 : Number(left > right)
}

/** True only when both can be compared and `left` is older. */
export const isOlder = (left: string | undefined, right: string | undefined) => (compareVersions(left, right) ?? 0) < 0

/** The later of two versions; `next` when they cannot be compared, because it was learnt last. */
export const laterVersion = (known: string | undefined, next: string) =>
  known !== undefined && isOlder(next, known) ? known : next
