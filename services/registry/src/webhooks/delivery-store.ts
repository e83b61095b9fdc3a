import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface DeliveryRow {
  readonly id: string
  readonly webhook_id: string
  readonly event: string
  readonly body: string
  readonly status: 'pending' | 'delivered' | 'dead'
  readonly attempts: number
  readonly attempt_at: Date
  readonly last_status: number | null
  readonly last_error: string
  readonly created_at: Date
  readonly queued_at: Date
  readonly finished_at: Date | null
}

const COLUMNS = 'd.id, d.webhook_id, d.event, d.body, d.status, d.attempts, d.attempt_at, d.last_status, d.last_error, d.created_at, d.queued_at, d.finished_at'

/** One delivery for every active webhook that follows the event, in the transaction of the change. */
export async function insertDeliveries(tx: Sql, event: string, body: string, now: Date): Promise<void> {
  await tx.query(
    `insert into webhook_delivery (webhook_id, event, body, attempt_at, created_at, queued_at)
     select id, $1, $2, $3, $3, $3 from webhook where deleted_at is null and status = 'ACTIVE' and $1 = any (events)`,
    [event, body, now],
  )
}

/** Webhooks with something to be sent, the one that waits longest first; those of `busy` apart. */
export async function dueWebhooks(sql: Sql, now: Date, busy: readonly string[], limit: number): Promise<string[]> {
  const rows = await sql.query<{ webhook_id: string }>(
    `select d.webhook_id from webhook_delivery d join webhook w on w.id = d.webhook_id
     where d.status = 'pending' and d.attempt_at <= $1 and w.status = 'ACTIVE' and not d.webhook_id = any ($2::text[])
     group by d.webhook_id order by min(d.attempt_at) limit $3`,
    [now, busy, limit],
  )
  return rows.map((row) => row.webhook_id)
}

/**
 * Takes what is due of one webhook: an attempt is counted before it is made, and whoever dies in the middle of it leaves the row to be taken again at `lostAt`.
 * Two processes never take the same.
 */
export async function claimDeliveries(sql: Sql, webhookId: string, now: Date, lostAt: Date, limit: number): Promise<DeliveryRow[]> {
  return sql.query<DeliveryRow>(
    `update webhook_delivery d set attempts = d.attempts + 1, attempt_at = $3
     where d.id in (
       select id from webhook_delivery where webhook_id = $1 and status = 'pending' and attempt_at <= $2 order by attempt_at limit $4 for update skip locked
     ) returning ${COLUMNS}`,
    [webhookId, now, lostAt, limit],
  )
}

interface Outcome {
  /** Null where nobody answered. */
  readonly answered: number | null
  readonly reason: string
}

/** Whoever lost an attempt that another took over changes nothing of what that one made of it. */
const STILL_MINE = "where id = $1 and status = 'pending' and attempts = $2"

export async function finishDelivery(sql: Sql, row: DeliveryRow, status: 'delivered' | 'dead', { answered, reason }: Outcome, now: Date): Promise<void> {
  await sql.query(`update webhook_delivery set status = $3, last_status = $4, last_error = $5, finished_at = $6 ${STILL_MINE}`, [
    ...[row.id, row.attempts, status, answered, reason, now],
  ])
}

export async function postponeDelivery(sql: Sql, row: DeliveryRow, at: Date, { answered, reason }: Outcome): Promise<void> {
  await sql.query(`update webhook_delivery set attempt_at = $3, last_status = $4, last_error = $5 ${STILL_MINE}`, [
    ...[row.id, row.attempts, at, answered, reason],
  ])
}

/** What a deleted webhook still had to be sent is not sent. */
export async function dropDeliveries(tx: Sql, webhookId: string, reason: string, now: Date): Promise<void> {
  await tx.query("update webhook_delivery set status = 'dead', last_error = $2, finished_at = $3 where webhook_id = $1 and status = 'pending'", [
    ...[webhookId, reason, now],
  ])
}

/** What waited too long for a webhook that is switched off. Answers how many. */
export async function expireDeliveries(sql: Sql, queuedBefore: Date, now: Date): Promise<number> {
  const rows = await sql.query(
    `update webhook_delivery d set status = 'dead', last_error = 'the webhook was disabled for too long', finished_at = $2
     from webhook w where w.id = d.webhook_id and w.status = 'DISABLED' and d.status = 'pending' and d.queued_at < $1 returning d.id`,
    [queuedBefore, now],
  )
  return rows.length
}

/** Answers how many were forgotten. */
export async function pruneDeliveries(sql: Sql, finishedBefore: Date, limit: number): Promise<number> {
  const rows = await sql.query(
    'delete from webhook_delivery where id in (select id from webhook_delivery where finished_at < $1 order by finished_at limit $2) returning id',
    [finishedBefore, limit],
  )
  return rows.length
}

export interface DeliveryQuery {
  readonly webhookId: string
  readonly status: DeliveryRow['status'] | null
  readonly limit: number
}

/** Newest first. */
export async function readDeliveries(sql: Sql, { webhookId, status, limit }: DeliveryQuery): Promise<DeliveryRow[]> {
  return sql.query<DeliveryRow>(
    `select ${COLUMNS} from webhook_delivery d where d.webhook_id = $1 and ($2::text is null or d.status = $2) order by d.created_at desc, d.id desc limit $3`,
    [webhookId, status, limit],
  )
}

/** Puts what was given up back in the queue under the id that it had, with its time beginning anew. Answers whether there was such a delivery. */
export async function reviveDelivery(sql: Sql, webhookId: string, id: string, now: Date): Promise<boolean> {
  const rows = await sql.query(
    `update webhook_delivery set status = 'pending', attempts = 0, attempt_at = $3, queued_at = $3, finished_at = null
     where webhook_id = $1 and id = $2 and status = 'dead' returning id`,
    [webhookId, id, now],
  )
  return rows.length > 0
}

export async function countByStatus(sql: Sql): Promise<{ pending: number; dead: number }> {
  const [row] = await sql.query<{ pending: number; dead: number }>(
    "select count(*) filter (where status = 'pending')::int as pending, count(*) filter (where status = 'dead')::int as dead from webhook_delivery where status <> 'delivered'",
  )
  return row ?? { pending: 0, dead: 0 }
}
