export type { Database, Row, Sql, TransactionOptions, Value } from './database.ts'
export { openPostgres, type PostgresOptions } from './postgres.ts'
export { deleteRow, insertRow, insertRows, type Seen, selectRows, updateRow } from './rows.ts'
export { migrateSchema, type SchemaStep } from './schema.ts'
export { clearValue, type Seal, sealedDatabase } from './sealed.ts'
export { openSqlite, type SqliteOptions } from './sqlite.ts'
export { type WakingDatabase, wakingDatabase } from './waking.ts'
export {
  finishWork,
  isAtRest,
  isHeld,
  type Lease,
  LeaseLost,
  nextDueMs,
  renewWork,
  type Taking,
  takeWork,
  wakeWork,
  workReadySchema,
  workSchema,
} from './work.ts'
export { type Again, Worker, type WorkerOptions } from './worker.ts'
