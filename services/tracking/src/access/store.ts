import type { Resource } from '@millrace/platform/access/rights.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

interface Row {
  experiment_id: number
  name: string
  created_by: string | null
}

const COLUMNS = 'distinct e.experiment_id, e.name, e.created_by'
const toResource = (row: Row): Resource => ({ kind: 'experiment', id: String(row.experiment_id), name: row.name, owner: row.created_by })

export async function experimentsById(sql: Sql, ids: readonly number[]): Promise<Resource[]> {
  return (await sql.query<Row>(`select ${COLUMNS} from experiment e where e.experiment_id = any($1::int8[])`, [ids])).map(toResource)
}

export async function experimentsByName(sql: Sql, name: string): Promise<Resource[]> {
  return (await sql.query<Row>(`select ${COLUMNS} from experiment e where e.name = $1`, [name])).map(toResource)
}

export async function allExperiments(sql: Sql): Promise<Resource[]> {
  return (await sql.query<Row>(`select ${COLUMNS} from experiment e`)).map(toResource)
}

export async function experimentsOfRuns(sql: Sql, runIds: readonly string[]): Promise<Resource[]> {
  const join = 'experiment e join run r on r.experiment_id = e.experiment_id'
  return (await sql.query<Row>(`select ${COLUMNS} from ${join} where r.run_id = any($1::text[])`, [runIds])).map(toResource)
}

export async function experimentsOfModels(sql: Sql, modelIds: readonly string[]): Promise<Resource[]> {
  const join = 'experiment e join logged_model m on m.experiment_id = e.experiment_id'
  return (await sql.query<Row>(`select ${COLUMNS} from ${join} where m.model_id = any($1::text[])`, [modelIds])).map(toResource)
}

/**
 * The experiments whose own folder, or that of one of their runs or logged models, is one of `roots`. Ids are looked for by index: a root that names neither
 * is an experiment's.
 */
export async function experimentsOfRoots(sql: Sql, roots: readonly string[], segments: readonly string[]): Promise<Resource[]> {
  const rows = await sql.query<Row>(
    `select ${COLUMNS} from experiment e where regexp_replace(e.artifact_location, '^mlflow-artifacts:(//[^/]*)?/*|/+$', '', 'g') = any($1::text[])
      union select e.experiment_id, e.name, e.created_by from run r join experiment e on e.experiment_id = r.experiment_id where r.run_id = any($2::text[])
      union select e.experiment_id, e.name, e.created_by from logged_model m join experiment e on e.experiment_id = m.experiment_id where m.model_id = any($2::text[])`,
    [roots, segments],
  )
  return rows.map(toResource)
}

/** The experiments whose own folder lies inside of this one. */
export async function experimentsBelow(sql: Sql, path: string): Promise<Resource[]> {
  const rows = await sql.query<Row>(
    `select ${COLUMNS} from experiment e where starts_with(regexp_replace(e.artifact_location, '^mlflow-artifacts:(//[^/]*)?/*', ''), $1 || '/')`,
    [path],
  )
  return rows.map(toResource)
}

/** Experiments with a known creator, newest first. */
export async function listOwners(sql: Sql, limit: number): Promise<{ id: string; name: string; owner: string }[]> {
  const query = `select experiment_id::text as id, name, created_by as owner from experiment where created_by is not null order by experiment_id desc limit ${limit}`
  return sql.query(query)
}

export async function setOwner(tx: Sql, experimentId: number, owner: string): Promise<void> {
  await tx.query('update experiment set created_by = $2 where experiment_id = $1', [experimentId, owner])
}
