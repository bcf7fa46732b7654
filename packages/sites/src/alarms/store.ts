/** Alarms as rows. Raised and cleared in the transaction of what they tell of, so that neither is without the other. */
import { deleteRow, insertRow, type Row, type Sql, selectRows, updateRow } from '@godwit/store'
import { rowTime, seen } from '../state/row-time.ts'
import { type Alarm, subcloudOffline } from './definitions.ts'

const TABLE = 'alarm'

/** Raised already is fine; a new text or severity is written over the old one, the time of its beginning stays. */
export async function raiseAlarm(sql: Sql, { id, entity, severity, text, repair }: Alarm): Promise<void> {
  const columns = { severity, reason: text, repair }
  const [row] = await selectRows(sql, TABLE, { alarm_id: id, entity })
  if (!row) await insertRow(sql, TABLE, { alarm_id: id, entity, ...columns, raised_at: await rowTime(sql) })
  else if (isOther(row, columns)) await updateRow(sql, TABLE, seen(row), columns)
}

/** Cleared already is fine. */
export async function clearAlarm(sql: Sql, { id, entity }: Pick<Alarm, 'id' | 'entity'>): Promise<void> {
  const [row] = await selectRows(sql, TABLE, { alarm_id: id, entity })
  if (row) await deleteRow(sql, TABLE, seen(row))
}

/** Of a subcloud that this site no longer looks after: that it is offline, and what of it is out of sync. */
export async function clearSubcloudAlarms(sql: Sql, name: string): Promise<void> {
  const { entity } = subcloudOffline(name)
  const rows = await sql.all('select id, version from alarm where entity = ? or substr(entity, 1, ?) = ?', [
    entity,
    entity.length + 1,
    `${entity}.`,
  ])
  for (const row of rows) await deleteRow(sql, TABLE, seen(row))
}

const isOther = (row: Row, columns: Row) => Object.entries(columns).some(([name, value]) => row[name] !== value)
