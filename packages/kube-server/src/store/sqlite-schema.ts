import type { DatabaseSync } from 'node:sqlite'
import { StoreOpenError } from './errors.ts'

/** In the file header: tells our databases from anybody else's ("GdKS"). */
const APPLICATION_ID = 0x47_64_4b_53
/** Grows with each change of the tables. */
export const SCHEMA_VERSION = 1

const TABLES = `
  create table objects (
    collection text not null,
    namespace text not null,
    name text not null,
    version integer not null,
    json text not null,
    primary key (collection, namespace, name)
  ) strict;
  create table counter (last_version integer not null) strict;
  insert into counter (last_version) values (0);
`

/** Makes the tables in a new database; throws StoreOpenError for one that is not ours or newer than this program. */
export function prepareSchema(db: DatabaseSync, file: string): void {
  const schema = pragma(db, 'user_version')
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    if (schema !== 0 || countTables(db) > 0) {
      throw new StoreOpenError('Foreign', `${file} is a database of another program; give this server its own folder`)
    }
    db.exec(`begin immediate; ${TABLES}
      pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}; commit;`)
    return
  }
  if (schema > SCHEMA_VERSION) {
    throw new StoreOpenError(
      'NewerSchema',
      `${file} was written by a newer version of this server (schema ${schema}, this one knows ${SCHEMA_VERSION}); ` +
        'start that version, or give this one another folder',
    )
  }
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(db.prepare(`pragma ${name}`).get()?.[name])
}

function countTables(db: DatabaseSync): number {
  return Number(db.prepare('select count(*) as tables from sqlite_schema').get()?.['tables'])
}
