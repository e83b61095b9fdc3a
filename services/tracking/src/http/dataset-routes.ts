import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { TrackingDeps } from '../deps.ts'
import { invalid, readExperimentId } from '../refusals.ts'
import { summarizeDatasets } from '../store/dataset-summaries.ts'
import { listOf } from './wire.ts'

const MAX_EXPERIMENTS = 20
const MAX_SUMMARIES = 1000

export const datasetRoutes = (deps: TrackingDeps): Route[] => [
  route({
    errors: 'mlflow',
    method: 'POST',
    access: 'read',
    path: '/experiments/search-datasets',
    summary: 'The data sets that runs of experiments read.',
    body: z.looseObject({ experiment_ids: listOf(z.string()) }),
    handle: async ({ body: { experiment_ids: ids } }) => {
      if (ids.length === 0) throw invalid('SearchDatasets request must specify at least one experiment_id.')
      if (ids.length > MAX_EXPERIMENTS) {
        throw invalid(`SearchDatasets request cannot specify more than ${MAX_EXPERIMENTS} experiment_ids. Received ${ids.length} experiment_ids.`)
      }
      const summaries = await summarizeDatasets(deps.database, ids.map(readExperimentId), MAX_SUMMARIES)
      const shown = summaries.map(({ experimentId, name, digest, context }) => ({
        experiment_id: String(experimentId),
        name,
        digest,
        ...(context === null ? {} : { context }),
      }))
      return ok(shown.length > 0 ? { dataset_summaries: shown } : {})
    },
  }),
]
