import type { SortColumn, SortKey } from '@millrace/platform/search/keyset.ts'
import { keysetSelection } from '@millrace/platform/search/keyset.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export type WebhookStatus = 'ACTIVE' | 'DISABLED'

export interface WebhookRow {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly url: string
  readonly events: readonly string[]
  readonly status: WebhookStatus
  /** Encrypted. */
  readonly secret: Buffer | null
  readonly created_at: Date
  readonly updated_at: Date
}

const COLUMNS = 'id, name, description, url, events, status, secret, created_at, updated_at'

/** Newest first. */
export const webhookSort: readonly SortColumn[] = [
  { expression: '(extract(epoch from created_at) * 1000000)::bigint', type: 'bigint', ascending: false },
  { expression: 'id', type: 'text', ascending: false },
]

export async function insertWebhook(tx: Sql, webhook: Omit<WebhookRow, 'created_at' | 'updated_at'>, now: Date): Promise<WebhookRow | null> {
  const { id, name, description, url, events, status, secret } = webhook
  const [row] = await tx.query<WebhookRow>(
    `insert into webhook (id, name, description, url, events, status, secret, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning ${COLUMNS}`,
    [id, name, description, url, events, status, secret, now],
  )
  return row ?? null
}

/** Deleted ones are not found. */
export async function findWebhook(sql: Sql, id: string): Promise<WebhookRow | null> {
  const [row] = await sql.query<WebhookRow>(`select ${COLUMNS} from webhook where id = $1 and deleted_at is null`, [id])
  return row ?? null
}

export async function lockWebhook(tx: Sql, id: string): Promise<WebhookRow | null> {
  const [row] = await tx.query<WebhookRow>(`select ${COLUMNS} from webhook where id = $1 and deleted_at is null for update`, [id])
  return row ?? null
}

export async function listWebhooks(sql: Sql, after: SortKey | null, limit: number): Promise<(WebhookRow & { readonly sort_key: SortKey })[]> {
  const [, micros, , id] = after ?? []
  return sql.query(
    `select ${COLUMNS}, ${keysetSelection(webhookSort)} from webhook
     where deleted_at is null and ($1::bigint is null or (created_at, id) < (timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $2))
     order by created_at desc, id desc limit $3`,
    [micros ?? null, id ?? null, limit],
  )
}

export async function saveWebhook(tx: Sql, webhook: Omit<WebhookRow, 'created_at' | 'updated_at'>, now: Date): Promise<void> {
  const { id, name, description, url, events, status, secret } = webhook
  await tx.query('update webhook set name = $2, description = $3, url = $4, events = $5, status = $6, secret = $7, updated_at = $8 where id = $1', [
    ...[id, name, description, url, events, status, secret, now],
  ])
}

/** The row stays for the deliveries that speak of it; its secret does not. */
export async function markWebhookDeleted(tx: Sql, id: string, now: Date): Promise<void> {
  await tx.query('update webhook set deleted_at = $2, updated_at = $2, secret = null where id = $1', [id, now])
}
