import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Run } from '../domain/run.ts'
import { RUN_COLUMNS, type RunRow, toRun } from './runs.ts'

export interface BestRun {
  readonly run: Run
  readonly value: number
  readonly step: number
  readonly timestamp: number
}

interface BestQuery {
  /** A clause on `run r` and the metric `b`, of placeholders only. */
  readonly where: string
  readonly mode: 'max' | 'min'
  readonly limit: number
  readonly values: readonly unknown[]
}

/** Active runs that have the metric, by its latest value; of equal ones the run that started first, then by id. */
export async function queryBestRuns(sql: Sql, { where, mode, limit, values }: BestQuery): Promise<BestRun[]> {
  const rows = await sql.query<RunRow & { best_value: number; best_step: number; best_timestamp: number }>(
    `select ${RUN_COLUMNS}, b.value as best_value, b.step as best_step, b.timestamp as best_timestamp
      from run r join metric_series b on b.run_id = r.run_id and not b.is_nan where r.lifecycle_stage = 'active' and ${where}
      order by b.value ${mode === 'max' ? 'desc' : 'asc'}, r.start_time, r.run_id limit ${limit}`,
    values,
  )
  return rows.map((row) => ({ run: toRun(row), value: row.best_value, step: row.best_step, timestamp: row.best_timestamp }))
}
