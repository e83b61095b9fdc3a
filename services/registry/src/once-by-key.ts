import type { Once } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

/** Runs `work` once per key, and every time where the caller gave none. */
export const onceByKey = <Answer>(once: Once, tx: Sql, key: string | null, work: () => Promise<Answer>): Promise<Answer> =>
  key === null ? work() : once(tx, key, work)
