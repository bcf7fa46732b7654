/** Rows with a version: whoever writes says which version he has seen, and a later one is never written over. */
import { Retryable } from '@godwit/core'
import type { Row, Sql, Value } from './database.ts'

export interface Seen {
  readonly id: number
  readonly version: number
}

/** The table needs the columns `id` (given by the database) and `version`. @returns the whole new row */
export async function insertRow(sql: Sql, table: string, values: Row): Promise<Row> {
  const columns = Object.keys(values)
  const names = [...columns, 'version'].map(identifier).join(', ')
  const marks = [...columns, 'version'].map(() => '?').join(', ')
  const [row] = await sql.all(`insert into ${identifier(table)} (${names}) values (${marks}) returning *`, [
    ...stored(sql, values),
    1,
  ])
  if (!row) throw new Error(`the insert into ${table} gave no row back`)
  return row
}

/**
 * Only the named columns change; the version grows by one.
 * @returns the whole new row
 * @throws Retryable when the row has changed, or is gone, since it was seen: read it again and decide again
 */
export async function updateRow(sql: Sql, table: string, { id, version }: Seen, changes: Row): Promise<Row> {
  const names = Object.keys(changes).map(name => `${identifier(name)} = ?, `)
  const text = `update ${identifier(table)} set ${names.join('')}version = version + 1 where id = ? and version = ? returning *`
  const [row] = await sql.all(text, [...stored(sql, changes), id, version])
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

const stored = ({ seal }: Sql, values: Row): Value[] =>
  Object.entries(values).map(([name, value]) => (seal ? seal(name, value) : value))

/** Names come from code, never from a request; this catches the mistake. */
function identifier(name: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a table or column`)
  return name
}
