import type { OutboxRow } from '@millrace/platform/events/outbox-store.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'

/**
 * A relay with a mistake that is easily made: it remembers the last `seq` that it saw and reads what is greater. Sequence values commit out of order, so that a
 * row which commits late is never looked at again. Here to prove that the checker would find it.
 */
export class CursorRelay {
  readonly sent: string[] = []
  readonly #database: Database
  #last = 0

  constructor(database: Database) {
    this.#database = database
  }

  /** Answers whether there was something to send. */
  async pass(): Promise<boolean> {
    const rows = await this.#database.query<Pick<OutboxRow, 'seq' | 'id'>>('select seq, id::text as id from outbox where seq > $1 order by seq limit 500', [
      this.#last,
    ])
    this.#last = rows.at(-1)?.seq ?? this.#last
    this.sent.push(...rows.map(({ id }) => id))
    return rows.length > 0
  }
}
