/** A transaction that tells what it has changed, once it is durable: one that is run again says nothing twice. */
import type { Fields } from '@godwit/ports'
import type { Sql } from '@godwit/store'
import type { Site } from '../site.ts'

export type Note = (fields: Fields, message: string) => void

export async function noted<T>(
  { database, logger }: Pick<Site, 'database' | 'logger'>,
  work: (sql: Sql, note: Note) => Promise<T>,
): Promise<T> {
  const notes: [Fields, string][] = []
  const result = await database.transaction(sql => {
    notes.length = 0
    return work(sql, (fields, message) => notes.push([fields, message]))
  })
  for (const [fields, message] of notes) logger.info(fields, message)
  return result
}
