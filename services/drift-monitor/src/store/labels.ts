import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface StoredLabel {
  readonly model: string
  readonly predictionId: string
  readonly label: string
  readonly labelledAt: Date
}
export interface StoredPrediction {
  readonly predictionId: string
  readonly predictedClass: string | null
  readonly predictedAt: Date
}

/** Keeps labels, the last word on a prediction winning; answers those that said something new. No prediction may be named twice in one call. */
export const saveLabels = (
  tx: Sql,
  labels: readonly StoredLabel[],
  receivedFrom: string,
  receivedAt: Date,
): Promise<{ model: string; predictionId: string }[]> =>
  tx.query(
    `insert into label (model, prediction_id, label, labelled_at, received_at, received_from)
     select *, $5::timestamptz, $6 from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
     on conflict (model, prediction_id) do update set label = excluded.label, labelled_at = excluded.labelled_at, received_at = excluded.received_at,
       received_from = excluded.received_from
     where label.label <> excluded.label
     returning model, prediction_id as "predictionId"`,
    [
      labels.map((label) => label.model),
      labels.map((label) => label.predictionId),
      labels.map((label) => label.label),
      labels.map((label) => label.labelledAt.toISOString()),
      receivedAt,
      receivedFrom,
    ],
  )

/** Keeps what was predicted for the day its label comes. */
export async function savePredictions(
  tx: Sql,
  model: string,
  version: string,
  sinceGeneration: number,
  predictions: readonly StoredPrediction[],
): Promise<void> {
  await tx.query(
    `insert into prediction (model, version, since_generation, prediction_id, predicted_class, predicted_at)
     select $1, $2, $3::bigint, * from unnest($4::text[], $5::text[], $6::timestamptz[]) on conflict do nothing`,
    [
      model,
      version,
      sinceGeneration,
      predictions.map((prediction) => prediction.predictionId),
      predictions.map((prediction) => prediction.predictedClass),
      predictions.map((prediction) => prediction.predictedAt.toISOString()),
    ],
  )
}

export async function dropUnlabelled(sql: Sql, before: Date): Promise<void> {
  await sql.query('delete from prediction where predicted_at < $1', [before])
  await sql.query('delete from label where received_at < $1', [before])
}
