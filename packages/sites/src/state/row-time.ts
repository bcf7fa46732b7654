import type { Row, Sql } from '@godwit/store'

/** The present as the API shows times: UTC, without a zone. */
export const rowTime = async (sql: Sql): Promise<string> =>
  new Date(await sql.nowMs()).toISOString().replace('T', ' ').replace('Z', '')

/** What a change of a row says it has seen. */
export const seen = (row: Row) => ({ id: Number(row['id']), version: Number(row['version']) })
