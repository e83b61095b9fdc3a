import { findModel, servedModels } from '../choose-arm.ts'
import type { ModelStatistics } from '../model-statistics.ts'
import { type ServedModel, servedArms } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import { armFor } from './arm-for.ts'
import { type Exchange, json, type Reply } from './exchange.ts'
import { wishFor } from './version-wish.ts'

/** GET /v2/models[/M[/versions/V]]/stats: what was asked of each loaded version in this pod. */
export const createStatistics = (serving: ServingSet, statistics: ModelStatistics) =>
  async function modelStatistics({ params, mayRead }: Exchange): Promise<Reply> {
    const models = params.model === null ? servedModels(serving).filter(({ model }) => mayRead(model)) : [findModel(serving, params.model)]
    const versions = models.flatMap((served) => versionsOf(served, params.version).map((version) => statistics.describe(served.model, version)))
    return json({ model_stats: versions })
  }

function versionsOf(served: ServedModel, version: string | null): string[] {
  if (version !== null) return [armFor(served, wishFor(served, version)).arm.version]
  return [...new Set(servedArms(served).map(({ arm }) => arm.version))]
}
