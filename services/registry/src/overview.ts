import type { ModelOverview } from '@millrace/contracts/http/registry.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { listOverviewModels, listOverviewVersions, type OverviewModel, type OverviewVersion } from './store/overview.ts'
import { readServing } from './store/serving.ts'

/** One line per model (prompts left out), or the one asked for. */
export async function readOverviews(sql: Sql, name: string | null): Promise<ModelOverview[]> {
  const models = await listOverviewModels(sql, name)
  const versions = Map.groupBy(
    await listOverviewVersions(
      sql,
      models.map((model) => model.id),
    ),
    (version) => version.model_id,
  )
  const serving = await readServing(
    sql,
    models.map((model) => model.name),
  )
  return models.map((model) => describe(model, versions.get(model.id) ?? [], serving.get(model.name)?.generation ?? 0))
}

function describe(model: OverviewModel, versions: readonly OverviewVersion[], generation: number): ModelOverview {
  const production = versions.find((version) => version.stage === 'Production')
  return {
    model: model.name,
    description: model.description,
    generation,
    production: production
      ? { version: String(production.version), runId: production.run_id || null, since: (production.promoted_at ?? production.created_at).toISOString() }
      : null,
    versions: versions.map(({ version, stage, status, servable, created_at: createdAt }) => ({
      version: String(version),
      stage,
      status,
      servable,
      createdAt: createdAt.toISOString(),
    })),
  }
}
