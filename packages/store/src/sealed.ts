/**
 * A database that keeps the values of some columns sealed: whoever has only the files sees nothing. Such columns are
 * written by `insertRow` and `updateRow` only, and never searched; rows hold them as they are stored, and `clearValue`
 * opens one when somebody asks for it, and each time: most looks are at other columns.
 */
import type { Database, Row, Sql, Value } from './database.ts'

export interface Seal {
  /** Bound to the column: a sealed text that is moved to another one cannot be opened. */
  seal(column: string, clear: string): string
  /** @throws when it was sealed by somebody else, or was changed */
  open(column: string, sealed: string): string
}

const OPEN = Symbol('open')
type Open = (column: string, value: Value) => Value
type SealedRow = Record<string, Value> & { [OPEN]?: Open }

/** @returns what was written in this column, whether the row is of a database that seals it or not */
export function clearValue(row: Row, column: string): Value | undefined {
  const { [column]: value, [OPEN]: open } = row as SealedRow
  return open && value !== undefined ? open(column, value) : value
}

export function sealedDatabase(inner: Database, columns: readonly string[], seal: Seal): Database {
  const isSealed = new Set(columns)
  const either = (turned: Seal['open']) => (column: string, value: Value) =>
    isSealed.has(column) && typeof value === 'string' ? turned(column, value) : value
  const open = either(seal.open)
  // A driver's rows are made for one reader: no need to copy them.
  const openable = (row: SealedRow): Row => {
    row[OPEN] = open
    return row
  }
  const wrap = (sql: Sql): Sql => ({
    ...sql,
    all: async (text, values) => {
      const rows = await sql.all(text, values)
      // All have the same columns.
      return columns.some(column => rows[0]?.[column] !== undefined) ? rows.map(openable) : rows
    },
    seal: either(seal.seal),
  })
  return {
    transaction: (work, options) => inner.transaction(sql => work(wrap(sql)), options),
    close: () => inner.close(),
  }
}
