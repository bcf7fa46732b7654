/** Rows with a version: whoever writes says which version he has seen, and a later one is never written over. */
import { Retryable } from '@godwit/core'
import type { Row, Sql, Value } from './database.ts'

export interface Seen {
  readonly id: number
  readonly version: number
}

/** The table needs the columns `id` (given by the database) and `version`. @returns the whole new row */
export async function insertRow(sql: Sql, table: string, values: Row): Promise<Row> {
  const [row] = await sql.all(`${insertion(table, Object.keys(values))} returning *`, allStored(sql, values))
  if (!row) throw new Error(`the insert into ${table} gave no row back`)
  return row
}

/** In order, and fewer statements than rows. @param rows all with the columns of the first */
export async function insertRows(sql: Sql, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    const some = rows.slice(start, start + ROWS_AT_ONCE)
    const values = some.flatMap(row => columns.map(name => stored(sql, name, row[name] ?? null)))
    await sql.run(insertion(table, columns, some.length), values)
  }
}

/** Far fewer values than any database takes in one statement. */
const ROWS_AT_ONCE = 50

function insertion(table: string, columns: readonly string[], count = 1): string {
  const names = [...columns, 'version'].map(identifier).join(', ')
  const row = `(${columns.map(() => '?, ').join('')}1)`
  return `insert into ${identifier(table)} (${names}) values ${Array.from({ length: count }, () => row).join(', ')}`
}

/**
 * Only the named columns change; the version grows by one.
 * @returns the whole new row
 * @throws Retryable when the row has changed, or is gone, since it was seen: read it again and decide again
 */
export async function updateRow(sql: Sql, table: string, { id, version }: Seen, changes: Row): Promise<Row> {
  const names = Object.keys(changes).map(name => `${identifier(name)} = ?, `)
  const text = `update ${identifier(table)} set ${names.join('')}version = version + 1 where id = ? and version = ? returning *`
  const [row] = await sql.all(text, [...allStored(sql, changes), id, version])
  if (!row) throw new Retryable(`${table} ${id} has changed since version ${version}`)
  return row
}

/** @throws Retryable when the row has changed, or is gone, since it was seen */
export async function deleteRow(sql: Sql, table: string, { id, version }: Seen): Promise<void> {
  const count = await sql.run(`delete from ${identifier(table)} where id = ? and version = ?`, [id, version])
  if (count === 0) throw new Retryable(`${table} ${id} has changed since version ${version}`)
}

/** @param where columns and the value each must have; all rows when empty. Ordered by id. */
export function selectRows(sql: Sql, table: string, where: Row = {}): Promise<readonly Row[]> {
  const conditions = Object.entries(where).map(([name, value]) =>
    value === null ? `${identifier(name)} is null` : `${identifier(name)} = ?`,
  )
  const clause = conditions.length > 0 ? `where ${conditions.join(' and ')} ` : ''
  const values = Object.values(where).filter((value): value is Exclude<Value, null> => value !== null)
  return sql.all(`select * from ${identifier(table)} ${clause}order by id`, values)
}

const stored = ({ seal }: Sql, name: string, value: Value): Value => (seal ? seal(name, value) : value)

const allStored = (sql: Sql, values: Row): Value[] =>
  Object.entries(values).map(([name, value]) => stored(sql, name, value))

/** Names come from code, never from a request; this catches the mistake. */
function identifier(name: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a table or column`)
  return name
}
