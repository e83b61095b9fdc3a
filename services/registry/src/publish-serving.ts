import { type ServingState, servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { RegistryDeps } from './deps.ts'
import type { Serving } from './domain/model.ts'
import { saveServing } from './store/serving.ts'
import { readServingSettings } from './store/serving-settings.ts'
import { findVersionsByNumber, type VersionRow } from './store/versions.ts'

export type ServingDeps = Pick<RegistryDeps, 'publish'>

/** Saves a new serving state and puts the very same record into the outbox, in the transaction that holds the lock on the model's name. */
export async function publishServing(deps: ServingDeps, tx: Sql, model: { id: number; name: string }, serving: Serving, now: Date): Promise<void> {
  const served = [...(serving.production === null ? [] : [serving.production]), ...serving.candidates.map((candidate) => candidate.version)]
  const versions = served.length === 0 ? [] : await findVersionsByNumber(tx, model.id, served)
  const settings = await readServingSettings(tx, model.id)
  const told = Object.keys(settings).length > 0 ? { settings } : {}
  const state = { ...describeServing(model.name, serving, versions, now), ...told }
  await saveServing(tx, state)
  await deps.publish(tx, { definition: servingStateChanged, subject: model.name, data: state })
}

function describeServing(model: string, serving: Serving, versions: readonly VersionRow[], now: Date): ServingState {
  const { generation, salt, production } = serving
  return {
    model,
    generation,
    salt,
    production: production === null ? null : { ...describe(model, versions, production), signature: rowOf(model, versions, production).signature },
    candidates: serving.candidates.map(({ version, mode, weightPercent }) => ({ ...describe(model, versions, version), mode, weightPercent })),
    changedAt: now.toISOString(),
  }
}

function rowOf(model: string, versions: readonly VersionRow[], version: number): VersionRow {
  const row = versions.find((candidate) => candidate.version === version)
  if (!row) throw new Error(`model ${model} is to serve version ${version}, which it does not have`)
  return row
}

function describe(model: string, versions: readonly VersionRow[], version: number): Pick<ServingState['candidates'][number], 'version' | 'runId' | 'artifact'> {
  const row = rowOf(model, versions, version)
  if (!row.artifact) throw new Error(`model ${model} is to serve version ${version}, which has no sealed artifact`)
  return { version: String(version), runId: row.run_id || null, artifact: row.artifact }
}
