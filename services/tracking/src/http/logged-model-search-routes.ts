import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { readableOf } from '../access/visible-experiments.ts'
import type { TrackingDeps } from '../deps.ts'
import { invalid, readExperimentId } from '../refusals.ts'
import { createSearchLoggedModels } from '../search/search-logged-models.ts'
import { loadModelMetrics } from '../store/model-metrics.ts'
import { loggedModelJson } from './logged-model-json.ts'
import { pageJson } from './search-routes.ts'
import { optionalInteger, optionalText, text } from './wire.ts'

const mlflow = { errors: 'mlflow', access: 'read' } as const

const dataset = z.looseObject({ dataset_name: optionalText, dataset_digest: optionalText })
const order = z.looseObject({ field_name: text, ascending: z.boolean().nullish(), dataset_name: optionalText, dataset_digest: optionalText })
const searchBody = z.looseObject({
  experiment_ids: z.array(text).min(1),
  filter: optionalText,
  datasets: z.array(dataset).nullish(),
  max_results: optionalInteger,
  order_by: z.array(order).nullish(),
  page_token: optionalText,
})

function toDataset(set: z.infer<typeof dataset>) {
  if (!set.dataset_name) throw invalid('`dataset_name` in the `datasets` clause must be specified.')
  return { name: set.dataset_name, digest: set.dataset_digest ?? null }
}

const toSearch = (body: z.infer<typeof searchBody>) => ({
  experimentIds: body.experiment_ids.map(readExperimentId),
  filter: body.filter ?? '',
  datasets: (body.datasets ?? []).map(toDataset),
  orderBy: (body.order_by ?? []).map((entry) => ({
    fieldName: entry.field_name,
    ascending: entry.ascending ?? true,
    datasetName: entry.dataset_name ?? null,
    datasetDigest: entry.dataset_digest ?? null,
  })),
  maxResults: body.max_results ?? 50,
  pageToken: body.page_token ?? '',
})

export function loggedModelSearchRoutes(deps: TrackingDeps): Route[] {
  const search = createSearchLoggedModels(deps)
  return [
    route({
      ...mlflow,
      method: 'POST',
      path: '/logged-models/search',
      summary: 'Logged models by filter and order, page by page.',
      body: searchBody,
      handle: async ({ body, caller }) => {
        const wanted = toSearch(body)
        const { items, nextPageToken } = await search({ ...wanted, experimentIds: await readableOf(deps.database, caller, wanted.experimentIds) })
        const metricsOf = await loadModelMetrics(
          deps.database,
          items.map((model) => model.modelId),
        )
        const models = items.map((model) => loggedModelJson(model, metricsOf(model.modelId)))
        return ok(pageJson('models', models, nextPageToken))
      },
    }),
  ]
}
