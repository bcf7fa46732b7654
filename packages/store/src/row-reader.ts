/** Rows of a prepared statement, of one shape: those that the driver makes itself are slow to make and slow to read. */
import type { StatementSync } from 'node:sqlite'
import type { Row, Value } from './database.ts'

export type RowReader = (values: readonly Value[]) => readonly Row[]

/** From now on the statement itself gives arrays. */
export function rowReader(statement: StatementSync): RowReader {
  statement.setReturnArrays(true)
  let names: readonly string[] = []
  let blank: Row = {}
  const shaped = (values: readonly Value[]): Row => {
    const row: Record<string, Value> = { ...blank }
    for (let index = 0; index < names.length; index++) row[names[index] ?? ''] = values[index] ?? null
    return row
  }
  return given => {
    const rows = statement.all(...given) as unknown as readonly (readonly Value[])[]
    const [first] = rows
    // A table has more columns than before when another process has changed it.
    if (first && first.length !== names.length) {
      names = statement.columns().map(({ name }) => name)
      blank = Object.fromEntries(names.map(name => [name, null]))
    }
    return rows.map(shaped)
  }
}
