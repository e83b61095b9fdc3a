/** What the main thread and the database's worker say to each other. Messages are answered in order, one at a time. */
export interface StatementRequest {
  readonly kind: 'statement'
  readonly id: number
  readonly schema: string
  /** Opens a transaction before the statement: the BEGIN costs no message of its own. */
  readonly begin: boolean
  readonly text: string
  /** Null sends the text as it is: several statements are allowed. */
  readonly values: readonly unknown[] | null
}

export interface EndRequest {
  readonly kind: 'commit' | 'rollback' | 'close'
  readonly id: number
}

export type WorkerRequest = StatementRequest | EndRequest

/** A PostgreSQL error as it crosses the thread boundary. */
export interface WireError {
  readonly message: string
  /** SQLSTATE; empty where the failure is not PostgreSQL's. */
  readonly code: string
  readonly constraint: string
  readonly detail: string
}

export interface Rows {
  readonly rows: readonly Record<string, unknown>[]
  /** Columns of type bytea: a Buffer does not survive the thread boundary as one. */
  readonly byteaColumns: readonly string[]
}

export type WorkerReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'open-failed'; readonly error: WireError }
  /** PostgreSQL gave up in a way that only a restart mends. */
  | { readonly kind: 'panic'; readonly message: string }
  | { readonly kind: 'rows'; readonly id: number; readonly result: Rows }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }

export interface WorkerTask {
  readonly directory: string | null
  /** Makes a new database in the directory and ends, instead of serving. */
  readonly initialise: boolean
  /** File to take a new in-memory database from; made when it is missing. Null makes it anew. */
  readonly snapshot: string | null
}
