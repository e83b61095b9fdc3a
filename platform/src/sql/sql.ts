import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Runs SQL with `$1` parameters. int8 comes back as a number (a value beyond 2^53 is an error), numeric as string, timestamptz as Date, jsonb as parsed
 * JSON, bytea as Buffer. Parameters: Date, Buffer, string, number, boolean, null and arrays of them; objects for jsonb must be passed through `JSON.stringify`.
 */
export interface Sql {
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

export interface Database extends Sql {
  /**
   * Commits when `work` resolves, rolls back when it rejects. Inside, use `tx` alone: a query on the database itself, an HTTP call or a blob read
   * throws (the embedded database has one connection: waiting inside for anything that needs it would wait for ever).
   * Serialization failures and deadlocks reject with `TransientError`; unique violations with `UniqueViolation`.
   */
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>
}

/** A unique index refused a row. */
export class UniqueViolation extends Error {
  readonly constraint: string
  constructor(constraint: string, options: { cause?: unknown } = {}) {
    super(`unique constraint ${constraint} violated`, options)
    this.name = 'UniqueViolation'
    this.constraint = constraint
  }
}

/** PostgreSQL refused a statement for a reason that has no class of its own. */
export class SqlError extends Error {
  /** SQLSTATE, such as `23503` for a foreign key. */
  readonly code: string
  readonly constraint: string
  constructor(message: string, fields: { code: string; constraint: string }) {
    super(message)
    this.name = 'SqlError'
    this.code = fields.code
    this.constraint = fields.constraint
  }
}

const transactionScope = new AsyncLocalStorage<true>()

/** Adapters of `Database` run `work` inside this, so that ports which wait for the outside can refuse. */
export const insideTransaction = <T>(work: () => Promise<T>): Promise<T> => transactionScope.run(true, work)

/** Called by every port that waits for something outside the transaction: HTTP client, blobs, event log, and the database's own pool. */
export function refuseInsideTransaction(what: string): void {
  if (transactionScope.getStore()) throw new Error(`${what} inside a transaction: record the intent and let a job make the call`)
}
