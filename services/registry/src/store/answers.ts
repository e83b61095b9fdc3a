import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Tags } from './models.ts'

export interface Creation {
  readonly modelId: number
  readonly source: string
  /** Empty where the request named none. */
  readonly runId: string
  readonly runLink: string
  readonly description: string
  readonly tags: Tags
  readonly user: string
}

/** The oldest version that the very same request created after `since` without anybody getting the answer; from then on it waits for an answer again. */
export async function takeAbandoned(tx: Sql, creation: Creation, since: Date): Promise<number | null> {
  const { modelId, source, runId, runLink, description, tags, user } = creation
  const [row] = await tx.query<{ id: number }>(
    `update model_version set abandoned_at = null where id = (
       select id from model_version where model_id = $1 and abandoned_at > $2 and deleted_at is null and source = $3 and ($4 = '' or run_id = $4)
         and run_link = $5 and description = $6 and tags = $7::jsonb and user_id = $8 order by version limit 1
     ) returning id`,
    [modelId, since, source, runId, runLink, description, JSON.stringify(tags), user],
  )
  return row?.id ?? null
}

export async function markAsked(tx: Sql, id: number): Promise<void> {
  await tx.query('update model_version set answered = false where id = $1', [id])
}

export async function markAnswered(sql: Sql, id: number): Promise<void> {
  await sql.query('update model_version set answered = true where id = $1', [id])
}

export async function markAbandoned(sql: Sql, id: number, now: Date): Promise<void> {
  await sql.query('update model_version set abandoned_at = $2 where id = $1 and not answered', [id, now])
}

/** After a start: who asked for these before has lost the connection. */
export async function abandonUnanswered(sql: Sql, now: Date): Promise<void> {
  await sql.query('update model_version set abandoned_at = $1 where not answered and abandoned_at is null and deleted_at is null', [now])
}
