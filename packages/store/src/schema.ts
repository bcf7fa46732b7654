/** Brings a database to the tables that this version of the program knows. */
import { createHash } from 'node:crypto'
import { Terminal } from '@godwit/core'
import type { Database, Sql } from './database.ts'

/**
 * A step is never edited once it was released: a later one changes what it made. Other processes may have the database
 * open: a step may add columns to a table, and neither renames one nor takes one away.
 */
export interface SchemaStep {
  readonly name: string
  readonly statements: readonly string[]
  /** What no statement can say of rows that are there already; after the statements, in the same transaction. */
  readonly fill?: (sql: Sql) => Promise<void>
}

const TABLE =
  'create table if not exists schema_step (number integer primary key, name text not null, digest text not null)'

/**
 * Applies the missing steps, all or none.
 * @returns the names of the applied ones
 * @throws Terminal `SchemaTooNew` or `SchemaDiffers` when the database was made by another version; nothing is changed
 */
export function migrateSchema(database: Database, steps: readonly SchemaStep[]): Promise<readonly string[]> {
  return database.transaction(async sql => {
    await sql.run(TABLE)
    const known = await sql.all('select number, name, digest from schema_step order by number')
    if (known.length > steps.length)
      throw new Terminal(
        'SchemaTooNew',
        `the database has ${known.length} schema steps, this program knows ${steps.length}: use the newer program`,
      )
    for (const [index, { digest, name }] of known.entries()) {
      const step = steps[index]
      if (step && digestOf(step) === digest) continue
      throw new Terminal('SchemaDiffers', `schema step ${index + 1} (${name}) is not the one this program knows`)
    }
    const missing = steps.slice(known.length)
    for (const [index, step] of missing.entries()) await apply(sql, known.length + index + 1, step)
    return missing.map(({ name }) => name)
  })
}

async function apply(sql: Sql, number: number, step: SchemaStep): Promise<void> {
  for (const statement of step.statements) await sql.run(statement)
  await step.fill?.(sql)
  await sql.run('insert into schema_step (number, name, digest) values (?, ?, ?)', [number, step.name, digestOf(step)])
}

const digestOf = ({ name, statements }: SchemaStep) =>
  createHash('sha256')
    .update(JSON.stringify([name, statements]))
    .digest('hex')
