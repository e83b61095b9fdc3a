import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { TrackingDeps } from '../deps.ts'
import { loggedModelStatuses } from '../domain/logged-model.ts'
import {
  createDeleteLoggedModel,
  createDeleteLoggedModelTag,
  createFinalizeLoggedModel,
  createLogModelParams,
  createSetLoggedModelTags,
  readLoggedModel,
} from '../models/change-logged-model.ts'
import { createCreateLoggedModel } from '../models/create-logged-model.ts'
import { readExperimentId } from '../refusals.ts'
import { loadModelMetrics } from '../store/model-metrics.ts'
import { loggedModelJson } from './logged-model-json.ts'
import { enumeration, flag, keyValues, optionalText, text } from './wire.ts'

const write = { errors: 'mlflow', method: 'POST', access: 'write' } as const
const byId = z.object({ model_id: text })

export function loggedModelRoutes(deps: TrackingDeps): Route[] {
  return [createRoute(deps), ...readRoutes(deps), ...changeRoutes(deps), ...tagRoutes(deps)]
}

function createRoute(deps: TrackingDeps): Route {
  const create = createCreateLoggedModel(deps)
  return route({
    ...write,
    path: '/logged-models',
    summary: 'Makes a logged model; its files follow.',
    body: z.looseObject({
      experiment_id: text,
      name: optionalText,
      model_type: optionalText,
      source_run_id: optionalText,
      params: keyValues,
      tags: keyValues,
    }),
    maxBodyBytes: 16 * 1024 * 1024,
    handle: async ({ body }) => {
      const model = await create({
        experimentId: readExperimentId(body.experiment_id),
        name: body.name,
        modelType: body.model_type ?? '',
        sourceRunId: body.source_run_id ?? '',
        tags: body.tags,
        params: body.params,
      })
      return ok({ model: loggedModelJson(model, []) })
    },
  })
}

function readRoutes(deps: TrackingDeps): Route[] {
  return [
    route({
      ...write,
      method: 'GET',
      access: 'read',
      path: '/logged-models/:model_id',
      summary: 'A logged model.',
      params: byId,
      query: z.looseObject({ allow_deleted: flag }),
      handle: async ({ params, query }) => {
        const model = await readLoggedModel(deps.database, params.model_id, query.allow_deleted)
        const metricsOf = await loadModelMetrics(deps.database, [model.modelId])
        return ok({ model: loggedModelJson(model, metricsOf(model.modelId)) })
      },
    }),
  ]
}

function changeRoutes(deps: TrackingDeps): Route[] {
  const finalize = createFinalizeLoggedModel(deps)
  const remove = createDeleteLoggedModel(deps)
  const path = '/logged-models/:model_id'
  return [
    route({
      ...write,
      method: 'PATCH',
      path,
      summary: 'Says that the files of a logged model are complete, or that they failed.',
      params: byId,
      body: z.looseObject({ status: enumeration(loggedModelStatuses, 0) }),
      handle: async ({ params, body }) => {
        const model = await finalize(params.model_id, body.status)
        const metricsOf = await loadModelMetrics(deps.database, [model.modelId])
        return ok({ model: loggedModelJson(model, metricsOf(model.modelId)) })
      },
    }),
    route({
      ...write,
      method: 'DELETE',
      path,
      summary: 'Marks a logged model as deleted.',
      params: byId,
      handle: async ({ params }) => {
        await remove(params.model_id)
        return ok({})
      },
    }),
  ]
}

function tagRoutes(deps: TrackingDeps): Route[] {
  const setTags = createSetLoggedModelTags(deps)
  const deleteTag = createDeleteLoggedModelTag(deps)
  const logParams = createLogModelParams(deps)
  return [
    route({
      ...write,
      method: 'PATCH',
      path: '/logged-models/:model_id/tags',
      summary: 'Sets tags of a logged model.',
      params: byId,
      body: z.looseObject({ tags: keyValues }),
      handle: async ({ params, body }) => {
        await setTags(params.model_id, body.tags)
        return ok({})
      },
    }),
    route({
      ...write,
      method: 'DELETE',
      path: '/logged-models/:model_id/tags/:key',
      summary: 'Removes a tag of a logged model.',
      params: z.object({ model_id: text, key: text }),
      handle: async ({ params }) => {
        await deleteTag(params.model_id, params.key)
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/logged-models/:model_id/params',
      summary: 'Adds params to a logged model.',
      params: byId,
      body: z.looseObject({ params: keyValues }),
      handle: async ({ params, body }) => {
        await logParams(params.model_id, body.params)
        return ok({})
      },
    }),
  ]
}
