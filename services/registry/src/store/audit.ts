import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from '../actor.ts'

export interface AuditRecord {
  readonly action: string
  readonly model: string
  readonly modelId: number | null
  readonly version?: number
  readonly from?: string | null
  readonly to?: string | null
  readonly reason?: string
  readonly details?: Readonly<Record<string, unknown>>
}

export interface AuditRow {
  readonly id: number
  /** Place in the chain of the model's name, and the hash that the next line follows. */
  readonly seq: number
  readonly hash: string
  readonly at: Date
  readonly actor: string
  readonly action: string
  readonly model: string
  readonly version: number | null
  readonly from_value: string | null
  readonly to_value: string | null
  readonly reason: string
  readonly request_id: string
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * Appends one line, in the transaction of the change that it speaks of. The database links it to the line before it in the chain of the model's name, which
 * stays locked until the transaction ends: call it after every
 * other lock is held (rows of the model, webhooks that are told), or two changes could wait for one another.
 */
export async function appendAudit(tx: Sql, actor: Actor, now: Date, record: AuditRecord): Promise<void> {
  await tx.query(
    `insert into audit_entry (at, actor, action, model, model_id, version, from_value, to_value, reason, request_id, details)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      now,
      actor.user,
      record.action,
      record.model,
      record.modelId,
      record.version ?? null,
      record.from ?? null,
      record.to ?? null,
      record.reason ?? '',
      actor.requestId,
      JSON.stringify(record.details ?? {}),
    ],
  )
}

export interface AuditQuery {
  readonly model: string
  /** The model that has the name now: its lines from before a renaming belong to it too. */
  readonly modelId: number | null
  readonly version?: number
  /** Only lines with a smaller id. */
  readonly before: number | null
  readonly limit: number
}

/** Newest first. */
export async function readAudit(sql: Sql, query: AuditQuery): Promise<AuditRow[]> {
  return sql.query<AuditRow>(
    `select id, seq, hash, at, actor, action, model, version, from_value, to_value, reason, request_id, details from audit_entry
     where (model = $1 or model_id = $2) and ($3::int is null or version = $3) and ($4::bigint is null or id < $4) order by id desc limit $5`,
    [query.model, query.modelId, query.version ?? null, query.before, query.limit],
  )
}

/** Whether anything was ever recorded under the name: a deleted model still has its trail. */
export async function hasAudit(sql: Sql, model: string): Promise<boolean> {
  return (await sql.query('select 1 from audit_entry where model = $1 limit 1', [model])).length > 0
}
