import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { ModelVersion, VersionDetail } from '@millrace/contracts/http/registry.ts'
import type { AliasRow } from './store/aliases.ts'
import type { AuditRow } from './store/audit.ts'
import type { ModelRow, Tags } from './store/models.ts'
import type { VersionRow } from './store/versions.ts'

/** Rows as they are shown over HTTP: MLflow's registry objects and Millrace's own. */

const tagList = (tags: Tags): { tags?: { key: string; value: string }[] } => {
  const list = Object.entries(tags).map(([key, value]) => ({ key, value }))
  return list.length > 0 ? { tags: list } : {}
}

/** MLflow's ModelVersion: `description`, `run_link` and `run_id` are there even where empty. */
export function presentVersion(row: VersionRow): ModelVersion {
  return {
    name: row.name,
    version: String(row.version),
    creation_timestamp: row.created_at.getTime(),
    last_updated_timestamp: row.updated_at.getTime(),
    user_id: row.user_id,
    current_stage: row.stage,
    description: row.description,
    source: row.source,
    run_id: row.run_id,
    status: row.status,
    ...(row.status_message ? { status_message: row.status_message } : {}),
    ...tagList(row.tags),
    run_link: row.run_link,
    ...(row.aliases.length > 0 ? { aliases: [...row.aliases] } : {}),
    ...(row.logged_model_id ? { model_id: row.logged_model_id } : {}),
  }
}

const stageOrder = ['None', 'Staging', 'Production', 'Archived']

/** MLflow's RegisteredModel. `latest` and `aliases` may hold other models' rows too. */
export function presentModel(row: ModelRow, latest: readonly VersionRow[], aliases: readonly AliasRow[]): Record<string, unknown> {
  const versions = latest.filter((version) => version.model_id === row.id).sort((a, b) => stageOrder.indexOf(a.stage) - stageOrder.indexOf(b.stage))
  const own = aliases.filter((alias) => alias.model_id === row.id)
  return {
    name: row.name,
    creation_timestamp: row.created_at.getTime(),
    last_updated_timestamp: row.updated_at.getTime(),
    user_id: row.user_id,
    ...(row.description ? { description: row.description } : {}),
    ...(versions.length > 0 ? { latest_versions: versions.map(presentVersion) } : {}),
    ...tagList(row.tags),
    ...(own.length > 0 ? { aliases: own.map(({ alias, version }) => ({ alias, version: String(version) })) } : {}),
  }
}

export function presentDetail(row: VersionRow): VersionDetail {
  const artifact: Artifact | null = row.artifact
  return {
    model: row.name,
    version: String(row.version),
    stage: row.stage,
    status: row.status,
    statusMessage: row.status_message,
    source: row.source,
    runId: row.run_id || null,
    artifact,
    signature: row.signature,
    servable: row.servable,
    unservableReason: row.unservable_reason,
    tags: { ...row.tags },
    aliases: [...row.aliases],
    createdAt: row.created_at.toISOString(),
  }
}

export const presentAudit = (row: AuditRow) => ({
  id: row.id,
  seq: row.seq,
  hash: row.hash,
  at: row.at.toISOString(),
  actor: row.actor,
  action: row.action,
  model: row.model,
  version: row.version === null ? null : String(row.version),
  from: row.from_value,
  to: row.to_value,
  reason: row.reason,
  requestId: row.request_id,
  details: { ...row.details },
})
