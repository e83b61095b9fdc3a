import { AppError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { parseStage } from './domain/decide-stage.ts'
import { requireModel, requireVersion, versionMissing } from './load-model.ts'
import { findAlias } from './store/aliases.ts'
import { latestVersions, newestVersion, type VersionRow } from './store/versions.ts'

/** Finds what `3`, `@champion`, `latest` or `Production` means for a model. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export async function resolveReference(sql: Sql, model: string, reference: string): Promise<VersionRow> {
  if (reference.startsWith('@')) return resolveAlias(sql, model, reference.slice(1))
  if (/^\d{1,9}$/.test(reference)) return requireVersion(sql, model, Number(reference))
  const { id } = await requireModel(sql, model)
  const stage = parseStage(reference)
  if (!stage && reference.toLowerCase() !== 'latest') {
    throw new AppError(
      'INVALID_PARAMETER_VALUE',
      `'${reference}' names no version of model '${model}': expected a number, a stage, 'latest' or an alias such as '@champion'`,
    )
  }
  const row = stage ? (await latestVersions(sql, [id])).find((version) => version.stage === stage) : await newestVersion(sql, model)
  if (!row) throw versionMissing(model, reference)
  return row
}

/** `latest` is no alias that anyone can set: it is the newest version. @throws AppError INVALID_PARAMETER_VALUE where the alias is not set, as MLflow answers */
export async function resolveAlias(sql: Sql, model: string, alias: string): Promise<VersionRow> {
  const { id } = await requireModel(sql, model)
  const newest = alias.toLowerCase() === 'latest' ? await newestVersion(sql, model) : null
  if (newest) return newest
  const version = await findAlias(sql, id, alias)
  if (version === null) throw new AppError('INVALID_PARAMETER_VALUE', `Registered model alias ${alias} not found.`)
  return requireVersion(sql, model, version)
}
