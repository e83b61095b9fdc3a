import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface Observation {
  readonly version: string
  readonly generation: number
  readonly kind: 'activated' | 'load-failed'
  readonly message: string
}

/** The first report of a kind is kept: a hundred pods that activate one generation make one row. */
export async function insertObservation(tx: Sql, model: string, observation: Observation): Promise<void> {
  await tx.query('insert into observation (model, version, generation, kind, message) values ($1, $2, $3, $4, $5) on conflict do nothing', [
    model,
    observation.version,
    observation.generation,
    observation.kind,
    observation.message,
  ])
}

export async function observationsSince(tx: Sql, model: string, version: string, generation: number): Promise<Observation[]> {
  return tx.query<Observation & object>(
    "select version, generation, kind, message from observation where model = $1 and version = $2 and generation >= $3 order by generation, kind = 'activated'",
    [model, version, generation],
  )
}
