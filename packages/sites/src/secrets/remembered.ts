/** A seal that remembers what it opened last: rows under way are read many times, and change elsewhere. */
import type { Seal } from '@godwit/store'

/** Of a column: the rows of as many subclouds as move at the same time. */
const MAX_TEXTS = 1_024

/** @param columns whose texts may stay in memory in clear, as they stay in the database */
export function remembered(seal: Seal, columns: readonly string[], maxTexts = MAX_TEXTS): Seal {
  /** Of each column by sealed text, the longest unused first. */
  const columnsOpened = new Map(columns.map(column => [column, new Map<string, string>()]))
  return {
    seal: (column, clear) => seal.seal(column, clear),
    open: (column, sealed) => {
      const opened = columnsOpened.get(column)
      if (!opened) return seal.open(column, sealed)
      const clear = opened.get(sealed) ?? seal.open(column, sealed)
      opened.delete(sealed)
      opened.set(sealed, clear)
      const [oldest] = opened.size > maxTexts ? opened.keys() : []
      if (oldest !== undefined) opened.delete(oldest)
      return clear
    },
  }
}
