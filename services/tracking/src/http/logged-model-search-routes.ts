import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { listPlace } from '../artifacts/list-place.ts'
import { requirePath } from '../artifacts/paths.ts'
import { below, requirePlace } from '../artifacts/place.ts'
import type { TrackingDeps } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { readLoggedModel } from '../models/change-logged-model.ts'
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
      handle: async ({ body }) => {
        const { items, nextPageToken } = await search(toSearch(body))
        const metricsOf = await loadModelMetrics(
          deps.database,
          items.map((model) => model.modelId),
        )
        const models = items.map((model) => loggedModelJson(model, metricsOf(model.modelId)))
        return ok(pageJson('models', models, nextPageToken))
      },
    }),
    directoryRoute(deps),
  ]
}

const directoryRoute = (deps: TrackingDeps): Route =>
  route({
    ...mlflow,
    method: 'GET',
    path: '/logged-models/:model_id/artifacts/directories',
    summary: 'What lies in a folder of a logged model.',
    params: z.object({ model_id: text }),
    query: z.looseObject({ artifact_directory_path: optionalText, page_token: optionalText }),
    handle: async ({ params, query }) => {
      const directory = requirePath(query.artifact_directory_path ?? '')
      const model = await readLoggedModel(deps.database, params.model_id)
      const place = below(requirePlace(deps, model.artifactUri), directory)
      const { files, nextPageToken } = await listPlace(deps, place, query.page_token ?? '')
      const listed = files.map((file) => ({
        path: joinPath(directory, file.name),
        is_dir: file.isDirectory,
        ...(file.sizeBytes === null ? {} : { file_size: file.sizeBytes }),
      }))
      return ok({
        root_uri: model.artifactUri,
        ...(listed.length > 0 ? { files: listed } : {}),
        ...(nextPageToken === null ? {} : { next_page_token: nextPageToken }),
      })
    },
  })
