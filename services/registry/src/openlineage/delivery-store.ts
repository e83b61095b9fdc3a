import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface LineageDelivery {
  readonly id: number
  readonly body: string
  readonly attempts: number
  readonly created_at: Date
}

export async function insertDelivery(tx: Sql, body: string, now: Date): Promise<void> {
  await tx.query('insert into openlineage_delivery (body, attempt_at, created_at) values ($1, $2, $2)', [body, now])
}

/**
 * Takes the oldest where it is due, null where none is or where the oldest waits: what comes later must not overtake it. Counts the attempt before it is made;
 * whoever dies in the middle leaves the row to be taken again at `lostAt`.
 */
export async function claimDelivery(sql: Sql, now: Date, lostAt: Date): Promise<LineageDelivery | null> {
  const [row] = await sql.query<LineageDelivery>(
    `update openlineage_delivery set attempts = attempts + 1, attempt_at = $2
     where id = (select id from openlineage_delivery where dead_at is null order by id limit 1 for update) and attempt_at <= $1
     returning id, body, attempts, created_at`,
    [now, lostAt],
  )
  return row ?? null
}

export async function removeDelivery(sql: Sql, id: number): Promise<void> {
  await sql.query('delete from openlineage_delivery where id = $1', [id])
}

export async function postponeDelivery(sql: Sql, id: number, at: Date, reason: string): Promise<void> {
  await sql.query('update openlineage_delivery set attempt_at = $2, last_error = $3 where id = $1', [id, at, reason.slice(0, 1000)])
}

export async function buryDelivery(sql: Sql, id: number, now: Date, reason: string): Promise<void> {
  await sql.query('update openlineage_delivery set dead_at = $2, last_error = $3 where id = $1', [id, now, reason.slice(0, 1000)])
}

/** Forgets what was given up long ago. */
export async function pruneDeliveries(sql: Sql, before: Date): Promise<void> {
  await sql.query('delete from openlineage_delivery where dead_at < $1', [before])
}
