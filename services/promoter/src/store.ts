import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Decision, DecisionState } from './domain/decision.ts'

/** A decision as it is kept: `revision` grows with every change and claim. */
export interface StoredDecision {
  readonly decision: Decision
  readonly revision: number
  readonly failures: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface DecisionRow {
  decision_id: string
  model: string
  version: number
  policy_version: number
  policy: Decision['policy']
  state: DecisionState
  champion_version: string | null
  generation: number
  gates: Decision['gates']
  reason: string
  decided_by: string
  approval: Decision['approval']
  promoted_generation: number | null
  watch_until: Date | null
  rollback_reason: string | null
  round: number
  revision: number
  failures: number
  created_at: Date
  updated_at: Date
}

const toStored = (row: DecisionRow): StoredDecision => ({
  decision: {
    decisionId: row.decision_id,
    model: row.model,
    version: String(row.version),
    policyVersion: row.policy_version,
    policy: row.policy,
    state: row.state,
    championVersion: row.champion_version,
    generation: row.generation,
    gates: row.gates,
    reason: row.reason,
    decidedBy: row.decided_by,
    approval: row.approval,
    promotedGeneration: row.promoted_generation,
    watchUntil: row.watch_until,
    rollbackReason: row.rollback_reason,
    round: row.round,
  },
  revision: row.revision,
  failures: row.failures,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** Locks the model until the transaction ends: its decisions and policies change one after another, and events leave in that order. */
export async function lockModel(tx: Sql, model: string): Promise<void> {
  await tx.query('insert into model (name) values ($1) on conflict do nothing', [model])
  await tx.query('select name from model where name = $1 for update', [model])
}

/** False when this version was already met under this policy version: a repeated event makes no second decision. */
export async function insertDecision(tx: Sql, decision: Decision, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `insert into decision (decision_id, model, version, policy_version, policy, state, due_at, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7, $7) on conflict (model, version, policy_version) do nothing returning decision_id`,
    [decision.decisionId, decision.model, Number(decision.version), decision.policyVersion, JSON.stringify(decision.policy), decision.state, now],
  )
  return rows.length > 0
}

export async function findDecision(sql: Sql, decisionId: string): Promise<StoredDecision | null> {
  const [row] = await sql.query<DecisionRow>('select * from decision where decision_id = $1', [decisionId])
  return row ? toStored(row) : null
}

/** Models that there are decisions on. */
export const decisionModels = async (sql: Sql): Promise<string[]> =>
  (await sql.query<{ model: string }>('select distinct model from decision')).map(({ model }) => model)

/** Newest first; of the `visible` models alone, where they are given. */
export async function listDecisions(
  sql: Sql,
  filter: { model: string | null; version: number | null; state: string | null; visible?: readonly string[] | null; limit: number },
): Promise<StoredDecision[]> {
  const rows = await sql.query<DecisionRow>(
    `select * from decision
     where ($1::text is null or model = $1) and ($2::bigint is null or version = $2) and ($3::text is null or state = $3)
       and ($5::text[] is null or model = any($5))
     order by created_at desc, decision_id desc limit $4`,
    [filter.model, filter.version, filter.state, filter.limit, filter.visible ?? null],
  )
  return rows.map(toStored)
}

/** Decisions of a model that are not over, and promotions that are still watched; oldest version first. */
export async function liveDecisions(sql: Sql, model: string, now: Date): Promise<StoredDecision[]> {
  const rows = await sql.query<DecisionRow>(
    `select * from decision
     where model = $1 and (state in ('evaluating', 'awaiting-approval', 'promoting') or (state = 'promoted' and watch_until >= $2)) order by version`,
    [model, now],
  )
  return rows.map(toStored)
}

/** Every change makes the row due at once and takes away whatever lease was on it. */
export async function saveDecision(tx: Sql, decision: Decision, now: Date): Promise<void> {
  await tx.query(
    `update decision set state = $2, champion_version = $3, generation = $4, gates = $5, reason = $6, decided_by = $7, approval = $8, promoted_generation = $9,
       watch_until = $10, rollback_reason = $11, round = $12, revision = revision + 1, failures = 0, due_at = $13, lease_until = null, updated_at = $13
     where decision_id = $1`,
    [
      decision.decisionId,
      decision.state,
      decision.championVersion,
      decision.generation,
      JSON.stringify(decision.gates),
      decision.reason,
      decision.decidedBy,
      decision.approval === null ? null : JSON.stringify(decision.approval),
      decision.promotedGeneration,
      decision.watchUntil,
      decision.rollbackReason,
      decision.round,
      now,
    ],
  )
}

export type Work = 'evaluate' | 'promote' | 'roll-back'

const workCondition = {
  evaluate: "state = 'evaluating'",
  promote: "state = 'promoting' and promoted_generation is null",
  'roll-back': "state in ('promoting', 'promoted') and rollback_reason is not null",
} as const satisfies Record<Work, string>

/** Either a decision to work on, or when the next one is due; null where there is none. */
export type Claim = { kind: 'claimed'; held: StoredDecision } | { kind: 'none'; dueAt: Date | null }

/**
 * Takes the decision that has been due longest until `leaseUntil`; whoever held it before can no longer save what they made of it. Looks before it writes: a
 * write wakes every job, and jobs that always wrote would keep each other awake for ever.
 */
export async function claimDecision(sql: Sql, work: Work, now: Date, leaseUntil: Date): Promise<Claim> {
  const [next] = await sql.query<Pick<DecisionRow, 'decision_id' | 'revision'> & { free_at: Date }>(
    `select decision_id, revision, greatest(due_at, lease_until) as free_at from decision where ${workCondition[work]} order by free_at, decision_id limit 1`,
  )
  if (!next || next.free_at > now) return { kind: 'none', dueAt: next?.free_at ?? null }
  const [row] = await sql.query<DecisionRow>(
    'update decision set revision = revision + 1, lease_until = $3 where decision_id = $1 and revision = $2 returning *',
    [next.decision_id, next.revision, leaseUntil],
  )
  return row ? { kind: 'claimed', held: toStored(row) } : { kind: 'none', dueAt: now }
}

/** False when the lease was lost to somebody else. */
export async function extendLease(sql: Sql, held: StoredDecision, leaseUntil: Date): Promise<boolean> {
  const rows = await sql.query('update decision set lease_until = $3 where decision_id = $1 and revision = $2 returning decision_id', [
    held.decision.decisionId,
    held.revision,
    leaseUntil,
  ])
  return rows.length > 0
}

/** Gives the decision back, to be taken up again at `dueAt`; `reason` tells what it waits for. */
export async function postpone(sql: Sql, held: StoredDecision, dueAt: Date, failures: number, reason: string | null): Promise<void> {
  await sql.query(
    'update decision set lease_until = null, due_at = $3, failures = $4, reason = coalesce($5, reason) where decision_id = $1 and revision = $2',
    [held.decision.decisionId, held.revision, dueAt, failures, reason],
  )
}
