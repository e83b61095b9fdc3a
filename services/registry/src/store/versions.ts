import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { Stage } from '@millrace/contracts/http/registry.ts'
import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { VersionStatus } from '../domain/model.ts'
import type { RunSnapshot } from '../domain/run-snapshot.ts'
import type { Tags } from './models.ts'

export interface VersionRow {
  readonly id: number
  readonly model_id: number
  /** The model's present name. */
  readonly name: string
  readonly version: number
  readonly stage: Stage
  readonly status: VersionStatus
  readonly status_message: string
  readonly description: string
  readonly source: string
  readonly storage_location: string
  /** What tracking is asked to seal; null where there is nothing that it could. */
  readonly seal_source: string | null
  readonly run_id: string
  readonly run_link: string
  readonly logged_model_id: string | null
  readonly user_id: string
  readonly tags: Tags
  readonly automatic: boolean
  readonly run: RunSnapshot | null
  readonly pin_holder: string
  readonly expected_sha256: string | null
  readonly artifact: Artifact | null
  readonly signature: Signature | null
  readonly servable: boolean
  readonly unservable_reason: string | null
  readonly predecessor: number | null
  readonly promoted_at: Date | null
  readonly attempts: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly deleted_at: Date | null
  readonly aliases: readonly string[]
}

export const VERSION_COLUMNS = `v.id, v.model_id, m.name, v.version, v.stage, v.status, v.status_message, v.description, v.source, v.storage_location, v.seal_source, v.run_id,
  v.run_link, v.logged_model_id, v.user_id, v.tags, v.automatic, v.run, v.pin_holder, v.expected_sha256, v.artifact, v.signature, v.servable,
  v.unservable_reason, v.predecessor, v.promoted_at, v.attempts, v.created_at, v.updated_at, v.deleted_at,
  array(select a.alias from model_alias a where a.model_id = v.model_id and a.version = v.version order by a.alias) as aliases`

const FROM = 'from model_version v join registered_model m on m.id = v.model_id'

export async function findVersionRow(sql: Sql, model: string, version: number): Promise<VersionRow | null> {
  const where = 'where m.name = $1 and v.version = $2::bigint and v.deleted_at is null'
  const [row] = await sql.query<VersionRow>(`select ${VERSION_COLUMNS} ${FROM} ${where}`, [model, version])
  return row ?? null
}

/** Deleted versions too; null only after the model itself was deleted. */
export async function findVersionById(sql: Sql, id: number): Promise<VersionRow | null> {
  const [row] = await sql.query<VersionRow>(`select ${VERSION_COLUMNS} ${FROM} where v.id = $1`, [id])
  return row ?? null
}

export async function listVersions(sql: Sql, modelId: number): Promise<VersionRow[]> {
  return sql.query<VersionRow>(`select ${VERSION_COLUMNS} ${FROM} where v.model_id = $1 and v.deleted_at is null order by v.version`, [modelId])
}

/** Those of the numbers that are there. */
export async function findVersionsByNumber(sql: Sql, modelId: number, versions: readonly number[]): Promise<VersionRow[]> {
  return sql.query<VersionRow>(`select ${VERSION_COLUMNS} ${FROM} where v.model_id = $1 and v.version = any($2::int[]) and v.deleted_at is null`, [
    modelId,
    versions,
  ])
}

/** The newest version of each stage, for several models in one query. */
export async function latestVersions(sql: Sql, modelIds: readonly number[]): Promise<VersionRow[]> {
  return sql.query<VersionRow>(
    `select distinct on (v.model_id, v.stage) ${VERSION_COLUMNS} ${FROM} where v.model_id = any($1::bigint[]) and v.deleted_at is null
     order by v.model_id, v.stage, v.version desc`,
    [modelIds],
  )
}

export async function newestVersion(sql: Sql, model: string): Promise<VersionRow | null> {
  const [row] = await sql.query<VersionRow>(`select ${VERSION_COLUMNS} ${FROM} where m.name = $1 and v.deleted_at is null order by v.version desc limit 1`, [
    model,
  ])
  return row ?? null
}

export interface NewVersion {
  readonly modelId: number
  readonly version: number
  readonly source: string
  readonly storageLocation: string
  readonly sealSource: string | null
  readonly runId: string
  readonly runLink: string
  readonly loggedModelId: string | null
  readonly description: string
  readonly tags: Tags
  readonly user: string
  readonly automatic: boolean
  readonly run: RunSnapshot | null
  readonly pinHolder: string
  readonly expectedSha256: string | null
  /** From when on the job looks after it. */
  readonly attemptAt: Date
}

/** Answers the new row's id. */
export async function insertVersion(tx: Sql, version: NewVersion, now: Date): Promise<number> {
  const [row] = await tx.query<{ id: number }>(
    `insert into model_version (model_id, version, source, storage_location, run_id, run_link, logged_model_id, description, tags, user_id, automatic, run,
       pin_holder, expected_sha256, attempt_at, seal_source, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) returning id`,
    [
      version.modelId,
      version.version,
      version.source,
      version.storageLocation,
      version.runId,
      version.runLink,
      version.loggedModelId,
      version.description,
      JSON.stringify(version.tags),
      version.user,
      version.automatic,
      version.run && JSON.stringify(version.run),
      version.pinHolder,
      version.expectedSha256,
      version.attemptAt,
      version.sealSource,
      now,
    ],
  )
  if (!row) throw new Error('an insert answered no row')
  return row.id
}

export async function describeVersion(tx: Sql, id: number, description: string, now: Date): Promise<void> {
  await tx.query('update model_version set description = $2, updated_at = $3 where id = $1', [id, description, now])
}

/** What only this version had is cleared, as in MLflow; the row stays so that its number is never used again. */
export async function markDeleted(tx: Sql, row: VersionRow, now: Date): Promise<void> {
  // A way back through this version leads on to the one before it, but never from a version to itself.
  await tx.query('update model_version set predecessor = nullif($3::int, version) where model_id = $1 and predecessor = $2', [
    row.model_id,
    row.version,
    row.predecessor,
  ])
  await tx.query(
    `update model_version set deleted_at = $2, updated_at = $2, stage = 'None', source = '', storage_location = '', run_id = '', run_link = '', description = '',
       run = null where id = $1`,
    [row.id, now],
  )
}

export async function setVersionTag(tx: Sql, id: number, key: string, value: string): Promise<void> {
  await tx.query('update model_version set tags = tags || jsonb_build_object($2::text, $3::text) where id = $1', [id, key, value])
}

export async function deleteVersionTag(tx: Sql, id: number, key: string): Promise<void> {
  await tx.query('update model_version set tags = tags - $2::text where id = $1', [id, key])
}
