import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface StoredEvaluation {
  readonly evaluationId: string
  readonly artifact: Artifact
  readonly dataset: string
  readonly datasetDigest: string
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed'
  readonly message: string
  readonly evaluation: Evaluation | null
  readonly failures: number
  readonly revision: number
}

interface EvaluationRow {
  evaluation_id: string
  artifact: Artifact
  dataset: string
  dataset_digest: string
  state: StoredEvaluation['state']
  message: string
  evaluation: Evaluation | null
  failures: number
  revision: number
}

const toStored = (row: EvaluationRow): StoredEvaluation => ({
  ...{ evaluationId: row.evaluation_id, artifact: row.artifact, dataset: row.dataset, datasetDigest: row.dataset_digest, state: row.state },
  ...{ message: row.message, evaluation: row.evaluation, failures: row.failures, revision: row.revision },
})

export async function insertEvaluation(
  tx: Sql,
  asked: { evaluationId: string; artifact: Artifact; dataset: string; datasetDigest: string; now: Date },
): Promise<void> {
  await tx.query(
    "insert into evaluation (evaluation_id, artifact, dataset, dataset_digest, state, due_at, created_at) values ($1, $2, $3, $4, 'queued', $5, $5)",
    [asked.evaluationId, JSON.stringify(asked.artifact), asked.dataset, asked.datasetDigest, asked.now],
  )
}

export async function findEvaluation(sql: Sql, evaluationId: string): Promise<StoredEvaluation | null> {
  const [row] = await sql.query<EvaluationRow>('select * from evaluation where evaluation_id = $1', [evaluationId])
  return row ? toStored(row) : null
}

/** Takes the evaluation that is due longest; one whose holder died is due again when its lease has run out. */
export async function claimEvaluation(sql: Sql, now: Date, leaseUntil: Date): Promise<StoredEvaluation | null> {
  const [next] = await sql.query<{ evaluation_id: string; revision: number }>(
    `select evaluation_id, revision from evaluation
     where state in ('queued', 'running') and greatest(due_at, lease_until) <= $1 order by due_at, evaluation_id limit 1`,
    [now],
  )
  if (!next) return null
  const [row] = await sql.query<EvaluationRow>(
    "update evaluation set state = 'running', revision = revision + 1, lease_until = $3 where evaluation_id = $1 and revision = $2 returning *",
    [next.evaluation_id, next.revision, leaseUntil],
  )
  return row ? toStored(row) : null
}

/** False when the evaluation was taken over. */
export async function extendEvaluation(sql: Sql, held: StoredEvaluation, leaseUntil: Date): Promise<boolean> {
  const rows = await sql.query('update evaluation set lease_until = $3 where evaluation_id = $1 and revision = $2 returning evaluation_id', [
    ...[held.evaluationId, held.revision, leaseUntil],
  ])
  return rows.length > 0
}

export async function endEvaluation(
  sql: Sql,
  held: StoredEvaluation,
  end: { state: 'succeeded' | 'failed'; message: string; evaluation: Evaluation | null; now: Date },
): Promise<void> {
  await sql.query(
    `update evaluation set state = $3, message = $4, evaluation = $5, ended_at = $6, lease_until = null, revision = revision + 1
     where evaluation_id = $1 and revision = $2`,
    [held.evaluationId, held.revision, end.state, end.message, end.evaluation && JSON.stringify(end.evaluation), end.now],
  )
}

export async function postponeEvaluation(sql: Sql, held: StoredEvaluation, again: { dueAt: Date; failures: number; message: string }): Promise<void> {
  await sql.query(
    `update evaluation set state = 'queued', due_at = $3, failures = $4, message = $5, lease_until = null, revision = revision + 1
     where evaluation_id = $1 and revision = $2`,
    [held.evaluationId, held.revision, again.dueAt, again.failures, again.message],
  )
}
