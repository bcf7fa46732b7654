/** A seal that remembers what it opened last: rows under way are read many times, and change elsewhere. */
import type { Seal } from '@godwit/store'

/** The rows of as many subclouds as move at the same time, and what they share. */
const MAX_TEXTS = 1_024

/** @param columns whose texts may stay in memory in clear, as they stay in the database */
export function remembered(seal: Seal, columns: readonly string[], maxTexts = MAX_TEXTS): Seal {
  /** By column and sealed text, the longest unused first. */
  const opened = new Map<string, string>()
  return {
    seal: (column, clear) => seal.seal(column, clear),
    open: (column, sealed) => {
      if (!columns.includes(column)) return seal.open(column, sealed)
      const name = `${column} ${sealed}`
      const clear = opened.get(name) ?? seal.open(column, sealed)
      opened.delete(name)
      opened.set(name, clear)
      const [oldest] = opened.size > maxTexts ? opened.keys() : []
      if (oldest !== undefined) opened.delete(oldest)
      return clear
    },
  }
}
