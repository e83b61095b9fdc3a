import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import type { Stage } from '@millrace/contracts/http/registry.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Promotion, StageChange } from '../domain/decide-stage.ts'
import { candidateModes, type Model, nothingServed, type Serving, type Version, type VersionStatus } from '../domain/model.ts'

interface ServingRow {
  readonly generation: number
  readonly last_version: number
  readonly state: ServingState | null
}

/**
 * Locks the row of a model's name until the transaction ends, making it where the name is new: changes of one model happen one after another, and in the
 * order of their events.
 */
export async function lockServing(tx: Sql, model: string): Promise<{ serving: Serving; lastVersion: number; state: ServingState | null }> {
  await tx.query('insert into serving (model) values ($1) on conflict do nothing', [model])
  const [row] = await tx.query<ServingRow>('select generation, last_version, state from serving where model = $1 for update', [model])
  if (!row) throw new Error(`the serving row of ${model} vanished`)
  return { serving: row.state ? servingOf(row.state) : nothingServed, lastVersion: row.last_version, state: row.state }
}

export function servingOf(state: ServingState): Serving {
  const candidates = state.candidates.map(({ version, mode, weightPercent }) => {
    const known = candidateModes.find((candidate) => candidate === mode)
    if (!known) throw new Error(`the serving state of ${state.model} holds a candidate of unknown mode ${mode}`)
    return { version: Number(version), mode: known, weightPercent }
  })
  return { generation: state.generation, salt: state.salt, production: state.production ? Number(state.production.version) : null, candidates }
}

interface DecisionRow {
  readonly version: number
  readonly stage: Stage
  readonly status: VersionStatus
  readonly status_message: string
  readonly servable: boolean
  readonly unservable_reason: string | null
  readonly promoted_at: Date | null
  readonly predecessor: number | null
}

/** What the decisions look at. The serving row must be locked. */
export async function loadModel(tx: Sql, modelId: number, name: string, serving: Serving): Promise<Model> {
  const rows = await tx.query<DecisionRow>(
    `select version, stage, status, status_message, servable, unservable_reason, promoted_at, predecessor from model_version
     where model_id = $1 and deleted_at is null order by version`,
    [modelId],
  )
  return { name, serving, versions: rows.map(toVersion) }
}

const toVersion = (row: DecisionRow): Version => ({
  version: row.version,
  stage: row.stage,
  status: row.status,
  statusMessage: row.status_message,
  servable: row.servable,
  unservableReason: row.unservable_reason,
  promotedAt: row.promoted_at?.getTime() ?? null,
  predecessor: row.predecessor,
})

/** Never the other way round: the unique index on Production is checked row by row, so the old version must leave before the new one enters. */
export async function saveStages(tx: Sql, modelId: number, changes: readonly StageChange[], now: Date): Promise<void> {
  for (const change of [...changes].sort((a, b) => Number(a.to === 'Production') - Number(b.to === 'Production'))) {
    await tx.query('update model_version set stage = $3, updated_at = $4 where model_id = $1 and version = $2', [modelId, change.version, change.to, now])
  }
}

export async function savePromotion(tx: Sql, modelId: number, promotion: Promotion, now: Date): Promise<void> {
  await tx.query('update model_version set promoted_at = $3, predecessor = $4 where model_id = $1 and version = $2', [
    modelId,
    promotion.version,
    now,
    promotion.predecessor,
  ])
}

export async function saveServing(tx: Sql, state: ServingState): Promise<void> {
  await tx.query('update serving set generation = $2, state = $3 where model = $1', [state.model, state.generation, JSON.stringify(state)])
}

export async function saveLastVersion(tx: Sql, model: string, lastVersion: number): Promise<void> {
  await tx.query('update serving set last_version = greatest(last_version, $2::int) where model = $1', [model, lastVersion])
}

export async function readGenerations(sql: Sql): Promise<{ model: string; generation: number }[]> {
  return sql.query('select model, generation from serving where generation > 0 order by model')
}

/** Every record that was ever published, newest of each model: models with nothing to serve too, so that their generation still fences. */
export async function readStates(sql: Sql): Promise<ServingState[]> {
  const rows = await sql.query<{ state: ServingState }>('select state from serving where generation > 0 order by model')
  return rows.map((row) => row.state)
}

export async function readServing(sql: Sql, models: readonly string[]): Promise<Map<string, Serving>> {
  const rows = await sql.query<{ model: string; state: ServingState | null }>('select model, state from serving where model = any($1::text[])', [models])
  return new Map(rows.map((row) => [row.model, row.state ? servingOf(row.state) : nothingServed]))
}
