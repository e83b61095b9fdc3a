import type { Sql } from '@millrace/platform/sql/sql.ts'
import { PROMPT_TAG } from './search.ts'

export interface OverviewModel {
  readonly id: number
  readonly name: string
  readonly description: string
}

export interface OverviewVersion {
  readonly model_id: number
  readonly version: number
  readonly stage: string
  readonly status: string
  readonly servable: boolean
  readonly run_id: string
  readonly promoted_at: Date | null
  readonly created_at: Date
}

export async function listOverviewModels(sql: Sql, name: string | null): Promise<OverviewModel[]> {
  return sql.query<OverviewModel>(
    `select id, name, description from registered_model where ($1::text is null or name = $1) and coalesce(lower(tags ->> $2), 'false') <> 'true' order by name`,
    [name, PROMPT_TAG],
  )
}

/** Newest first. */
export async function listOverviewVersions(sql: Sql, modelIds: readonly number[]): Promise<OverviewVersion[]> {
  return sql.query<OverviewVersion>(
    `select model_id, version, stage, status, servable, run_id, promoted_at, created_at from model_version
     where model_id = any($1::bigint[]) and deleted_at is null order by model_id, version desc`,
    [modelIds],
  )
}
