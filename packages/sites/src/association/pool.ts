/** So many at once; the order of the results is that of the items. @throws what `work` throws, when none runs any more */
export async function inPool<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Array<Result>(items.length)
  let next = 0
  const run = async () => {
    for (;;) {
      const index = next++
      const item = items[index]
      if (index >= items.length || item === undefined) return
      results[index] = await work(item)
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, run))
  const failed = ended.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  return results
}
