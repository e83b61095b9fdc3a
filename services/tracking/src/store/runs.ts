import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Lifecycle, Run, RunStatus } from '../domain/run.ts'
import type { Found } from './experiments.ts'

export interface RunRow {
  run_id: string
  run_name: string
  experiment_id: number
  user_id: string
  status: RunStatus
  start_time: number
  end_time: number | null
  artifact_uri: string
  lifecycle_stage: Lifecycle
}

export const RUN_COLUMNS = 'r.run_id, r.run_name, r.experiment_id, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri, r.lifecycle_stage'

export const toRun = (row: RunRow): Run => ({
  runId: row.run_id,
  runName: row.run_name,
  experimentId: row.experiment_id,
  userId: row.user_id,
  status: row.status,
  startTime: row.start_time,
  endTime: row.end_time,
  artifactUri: row.artifact_uri,
  lifecycle: row.lifecycle_stage,
})

export async function insertRun(tx: Sql, run: Run): Promise<void> {
  await tx.query(
    `insert into run (run_id, run_name, experiment_id, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [run.runId, run.runName, run.experimentId, run.userId, run.status, run.startTime, run.endTime, run.artifactUri, run.lifecycle],
  )
}

export async function findRun(sql: Sql, runId: string): Promise<Run | null> {
  const [row] = await sql.query<RunRow>(`select ${RUN_COLUMNS} from run r where r.run_id = $1`, [runId])
  return row ? toRun(row) : null
}

export async function findRuns(sql: Sql, runIds: readonly string[]): Promise<Run[]> {
  const rows = await sql.query<RunRow>(`select ${RUN_COLUMNS} from run r where r.run_id = any($1)`, [runIds])
  return rows.map(toRun)
}

/** Held until the transaction ends: of two updates the second sees what the first did. */
export async function lockRun(tx: Sql, runId: string): Promise<Run | null> {
  const [row] = await tx.query<RunRow>(`select ${RUN_COLUMNS} from run r where r.run_id = $1 for update`, [runId])
  return row ? toRun(row) : null
}

export async function saveRun(tx: Sql, run: Run): Promise<void> {
  await tx.query('update run set run_name = $2, status = $3, end_time = $4 where run_id = $1', [run.runId, run.runName, run.status, run.endTime])
}

export async function renameRun(tx: Sql, runId: string, runName: string): Promise<void> {
  await tx.query('update run set run_name = $2 where run_id = $1', [runId, runName])
}

/** False where there is no such run. */
export async function setRunLifecycle(tx: Sql, runId: string, lifecycle: Lifecycle): Promise<boolean> {
  const rows = await tx.query('update run set lifecycle_stage = $2 where run_id = $1 returning run_id', [runId, lifecycle])
  return rows.length > 0
}

export interface RunQuery {
  /** Joins that the order needs; they never multiply rows. */
  readonly joins: string
  readonly where: string
  readonly order: string
  readonly selection: string
  readonly limit: number
  readonly values: readonly unknown[]
}

/** Rows of a compiled search; its clauses hold placeholders only. */
export async function queryRuns(sql: Sql, search: RunQuery): Promise<Found<Run>[]> {
  const rows = await sql.query<RunRow & { sort_key: Found<Run>['sortKey'] }>(
    `select ${RUN_COLUMNS}, ${search.selection} from run r ${search.joins} where ${search.where} order by ${search.order} limit ${search.limit}`,
    search.values,
  )
  return rows.map((row) => ({ item: toRun(row), sortKey: row.sort_key }))
}
