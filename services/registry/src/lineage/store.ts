import type { Sql } from '@millrace/platform/sql/sql.ts'

export type FactKind = 'evaluated' | 'rejected' | 'rollout-stepped' | 'load-failed'

export interface FactRow {
  readonly kind: FactKind
  readonly at: Date
  readonly data: Readonly<Record<string, unknown>>
}

/** Kept of each kind and version: the newest. */
const KEPT_FACTS = 50
const KEPT_SPANS = 200

/** The version as the registry knows it; null where model or version are gone, or go by another name by now. */
export async function findVersionKey(sql: Sql, model: string, version: string): Promise<{ id: number; modelId: number } | null> {
  if (!/^\d{1,9}$/.test(version)) return null
  const [row] = await sql.query<{ id: number; modelId: number }>(
    'select v.id, v.model_id as "modelId" from model_version v join registered_model m on m.id = v.model_id where m.name = $1 and v.version = $2::int',
    [model, version],
  )
  return row ?? null
}

export async function insertFact(tx: Sql, versionId: number, fact: FactRow): Promise<void> {
  await tx.query('insert into lineage_fact (version_id, kind, at, data) values ($1, $2, $3, $4)', [versionId, fact.kind, fact.at, JSON.stringify(fact.data)])
  await tx.query(
    `delete from lineage_fact where version_id = $1 and kind = $2 and id <= (
       select id from lineage_fact where version_id = $1 and kind = $2 order by id desc offset ${KEPT_FACTS} limit 1)`,
    [versionId, fact.kind],
  )
}

/** Oldest first. */
export async function readFacts(sql: Sql, versionId: number): Promise<FactRow[]> {
  return sql.query<FactRow>('select kind, at, data from lineage_fact where version_id = $1 order by at, id', [versionId])
}

export interface Activation {
  readonly versionId: number
  readonly modelId: number
  readonly pod: string
  readonly incarnation: string
  readonly arm: string
  readonly generation: number
  readonly at: Date
}

/** A pod answers with a version now: what it answered with before on the same arm, or before it was restarted, ended. */
export async function saveActivation(tx: Sql, activation: Activation): Promise<void> {
  const { versionId, modelId, pod, incarnation, arm, generation, at } = activation
  await tx.query(
    `update serving_span s set until = greatest(s.since, $6) from model_version v
     where v.id = s.version_id and v.model_id = $1 and s.pod = $2 and s.until is null and s.generation <= $5
       and (s.incarnation <> $3 or (s.arm = $4 and s.version_id <> $7) or (s.arm <> $4 and s.version_id = $7))`,
    [modelId, pod, incarnation, arm, generation, at, versionId],
  )
  await tx.query(
    `insert into serving_span (version_id, pod, incarnation, arm, generation, since) select $1, $2, $3, $4, $5, $6
     where not exists (select 1 from serving_span where version_id = $1 and pod = $2 and incarnation = $3 and arm = $4 and until is null)`,
    [versionId, pod, incarnation, arm, generation, at],
  )
  await tx.query(
    `delete from serving_span where version_id = $1 and id <= (select id from serving_span where version_id = $1 order by id desc offset ${KEPT_SPANS} limit 1)`,
    [versionId],
  )
}

export interface SpanRow {
  readonly pod: string
  readonly arm: string
  readonly generation: number
  readonly since: Date
  readonly until: Date | null
}

/** Oldest first. */
export async function readSpans(sql: Sql, versionId: number): Promise<SpanRow[]> {
  return sql.query<SpanRow>('select pod, arm, generation, since, until from serving_span where version_id = $1 order by since, id', [versionId])
}

export interface MoveRow {
  readonly at: Date
  readonly actor: string
  readonly action: string
  readonly from_value: string | null
  readonly to_value: string | null
  readonly reason: string
  readonly details: Readonly<Record<string, unknown>>
}

const MOVES = 200

/** The version's ways into Production and out of it, oldest first: the newest of them where there are many. */
export async function readProductionMoves(sql: Sql, modelId: number, version: number): Promise<MoveRow[]> {
  const rows = await sql.query<MoveRow>(
    `select at, actor, action, from_value, to_value, reason, details from audit_entry
     where model_id = $1 and version = $2 and action in ('transition-stage', 'rollback') and 'Production' in (from_value, to_value) order by id desc limit ${MOVES}`,
    [modelId, version],
  )
  return rows.toReversed()
}
