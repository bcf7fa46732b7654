/** Management addresses of subclouds as text that sorts as they are ordered: the database finds the one that overlaps. */
import type { Row, Sql } from '@godwit/store'
import { addressOf } from './address.ts'
import { read, type TakenRange } from './network.ts'
import type { Json } from './rows.ts'

/** Of an IPv6 address; those of IPv4 are as wide, so that each family sorts for itself. */
const HEX_DIGITS = 32

/** Empty when the text is no address. */
export function sortableAddress(text: string): string {
  const address = addressOf(text)
  return address ? `${address.family}${address.value.toString(16).padStart(HEX_DIGITS, '0')}` : ''
}

/** Columns of a subcloud that has these addresses. */
export const rangeColumns = (start: string, end: string): Row => ({
  management_first: sortableAddress(start),
  management_last: sortableAddress(end),
})

/**
 * Of subclouds that are there the nearest one, which overlaps the addresses of these bootstrap values if any does: those
 * that are there do not overlap each other.
 */
export async function nearestRange(sql: Sql, values: Json): Promise<readonly TakenRange[]> {
  const first = sortableAddress(read(values, 'management_start_address'))
  const last = sortableAddress(read(values, 'management_end_address'))
  if (first === '' || last === '') return []
  // A replica of an older version leaves the columns empty.
  await fillRanges(sql)
  const rows = await sql.all(
    `select name, management_start_ip, management_end_ip from subcloud
     where management_first <= ? and management_last <> '' order by management_first desc limit 1`,
    [last],
  )
  return rows.map(row => ({
    name: String(row['name']),
    start: String(row['management_start_ip']),
    end: String(row['management_end_ip']),
  }))
}

/** Of subclouds that were added by a program that knew no such columns. */
export async function fillRanges(sql: Sql): Promise<void> {
  const empty = "select id, management_start_ip, management_end_ip from subcloud where management_first = ''"
  for (const row of await sql.all(empty)) {
    const { management_first: first, management_last: last } = rangeColumns(
      String(row['management_start_ip']),
      String(row['management_end_ip']),
    )
    await sql.run('update subcloud set management_first = ?, management_last = ? where id = ?', [
      first ?? '',
      last ?? '',
      Number(row['id']),
    ])
  }
}
