/** What a driver of a database owes: transactions over plain SQL that every supported database understands. */

export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

/** Inside one transaction. Placeholders are `?`, in order; a driver that numbers them does so itself. */
export interface Sql {
  /** Rows that a statement gives back, `returning` included. */
  all(text: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** @returns the number of rows that the statement changed */
  run(text: string, values?: readonly Value[]): Promise<number>
  /** Milliseconds since the epoch in the database's own time: workers on several machines share it. */
  nowMs(): Promise<number>
  /** Appended to a select of rows that this transaction is about to claim. */
  readonly claiming: '' | 'for update skip locked'
  /** What is stored in place of a value of this column, when the database keeps some of them sealed. */
  readonly seal?: (column: string, value: Value) => Value
  /** Told of each queue in which this transaction made a key due. */
  readonly woke?: (queue: string) => void
}

export interface TransactionOptions {
  /**
   * Each statement sees what others have committed before it, instead of all of them one moment. Enough for the verbs of
   * the work queue, which decide and write in one statement or lock what they read; nothing else may use it.
   */
  readonly isPerStatement?: boolean
}

export interface Database {
  /**
   * Commits when `work` resolves, takes everything back when it rejects. Never called from inside `work`: a second
   * transaction of the same database would wait for the first. Where several may run at once `work` is run again when
   * it lost against another one: outside of the database it may change nothing.
   * @throws Retryable when the database stayed locked by somebody else, or is not there
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** After the transaction that is open. Later calls are refused. */
  close(): Promise<void>
}
