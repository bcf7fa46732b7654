/**
 * A database that keeps the values of some columns sealed: whoever works with rows sees them as they are, whoever has
 * only the files sees nothing. Such columns are written by `insertRow` and `updateRow` only, and never searched. What a
 * row has of them is opened when it is asked for, and each time: most looks are at other columns.
 */
import type { Database, Row, Sql, Value } from './database.ts'

export interface Seal {
  /** Bound to the column: a sealed text that is moved to another one cannot be opened. */
  seal(column: string, clear: string): string
  /** @throws when it was sealed by somebody else, or was changed */
  open(column: string, sealed: string): string
}

export function sealedDatabase(inner: Database, columns: readonly string[], seal: Seal): Database {
  const isSealed = new Set(columns)
  // A driver's rows are made for one reader: no need to copy them.
  const openable = (row: Row): Row => {
    for (const column of columns) {
      const value = row[column]
      if (typeof value === 'string')
        Object.defineProperty(row, column, { get: () => seal.open(column, value), enumerable: true })
    }
    return row
  }
  const wrap = (sql: Sql): Sql => ({
    ...sql,
    all: async (text, values) => (await sql.all(text, values)).map(openable),
    seal: (column: string, value: Value) =>
      isSealed.has(column) && typeof value === 'string' ? seal.seal(column, value) : value,
  })
  return {
    transaction: (work, options) => inner.transaction(sql => work(wrap(sql)), options),
    close: () => inner.close(),
  }
}
