import { ok, type Route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { visibleModels } from '../access/visible-models.ts'
import { requireModel, requireVersion } from '../load-model.ts'
import { presentVersion } from '../present.ts'
import { findVersions } from '../search.ts'
import { latestVersions } from '../store/versions.ts'
import type { UseCases } from '../use-cases.ts'
import { list, name, searchFields, stage, version } from './mlflow-fields.ts'
import { mlflowRoute } from './mlflow-route.ts'

/** MLflow's `model-versions/…` that read, and the newest versions by stage. */
export const createVersionReadingRoutes = (useCases: UseCases): Route[] => [...single(useCases), ...search(useCases), ...latest(useCases)]

const single = ({ database }: UseCases): Route[] => [
  ...mlflowRoute({
    method: 'GET',
    path: 'model-versions/get',
    access: 'read',
    summary: 'Reads a version.',
    input: z.looseObject({ name, version }),
    handle: async (input) => ok({ model_version: presentVersion(await requireVersion(database, input.name, input.version)) }),
  }),
  ...mlflowRoute({
    method: 'GET',
    path: 'model-versions/get-download-uri',
    access: 'read',
    summary: 'Tells where the files of a version lie.',
    input: z.looseObject({ name, version }),
    handle: async (input) => {
      const row = await requireVersion(database, input.name, input.version)
      return ok({ artifact_uri: row.storage_location || row.source })
    },
  }),
]

const search = ({ database }: UseCases): Route[] =>
  mlflowRoute({
    method: 'GET',
    path: 'model-versions/search',
    access: 'read',
    summary: 'Searches versions.',
    input: z.looseObject(searchFields(10_000, 200_000)),
    handle: async (input, { caller }) => {
      const visible = await visibleModels(database, caller)
      const request = { filter: input.filter, orderBy: input.order_by, pageToken: input.page_token ?? null, maxResults: input.max_results, visible }
      const { rows, nextPageToken } = await findVersions(database, request)
      return ok({
        ...(rows.length > 0 ? { model_versions: rows.map(presentVersion) } : {}),
        ...(nextPageToken ? { next_page_token: nextPageToken } : {}),
      })
    },
  })

const latest = ({ database }: UseCases): Route[] =>
  (['POST', 'GET'] as const).flatMap((method) =>
    mlflowRoute({
      method,
      path: 'registered-models/get-latest-versions',
      access: 'read',
      summary: 'Reads the newest version of each stage asked for.',
      input: z.looseObject({ name, stages: list(stage) }),
      handle: async (input) => {
        const { id } = await requireModel(database, input.name)
        const rows = (await latestVersions(database, [id])).filter((row) => input.stages.length === 0 || input.stages.includes(row.stage))
        return ok(rows.length > 0 ? { model_versions: rows.map(presentVersion) } : {})
      },
    }),
  )
