/** Which test files a run takes, and in which order. */

export const testPatterns = [
  'packages/*/{src,test}/**/*.test.ts',
  'scripts/**/*.test.ts',
  'demo/**/*.test.ts',
  'tests/**/*.test.ts',
] as const

/**
 * Keeps the files whose path holds one of the words (all when there are none). Those that start processes come first:
 * they take longest, and a long one that starts last prolongs the whole run.
 */
export function selectFiles(paths: readonly string[], words: readonly string[]): string[] {
  const slow = (path: string) => (/^(tests|packages\/[^/]+\/test)\//.test(path) ? 0 : 1)
  return [...new Set(paths)]
    .filter(path => words.length === 0 || words.some(word => path.includes(word)))
    .sort((a, b) => slow(a) - slow(b) || a.localeCompare(b))
}
