import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { TrackingDeps } from '../deps.ts'
import { createLogInputs, createLogOutputs } from '../log-inputs.ts'
import { createLogModel } from '../log-model.ts'
import type { DatasetInput } from '../store/inputs.ts'
import { requireRunId } from './run-reference.ts'
import { integer, runReference, text, textUpTo } from './wire.ts'

const write = { errors: 'mlflow', method: 'POST', access: 'write' } as const

/** A profile alone may have 16 MiB. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024

const dataset = z.looseObject({
  name: textUpTo(500),
  digest: textUpTo(36),
  source_type: text,
  source: textUpTo(65_535),
  schema: z.string().max(1_048_575).nullish(),
  profile: z.string().max(16_777_215).nullish(),
})
const inputTag = z.looseObject({ key: textUpTo(255), value: z.string().max(500) })
const datasetInput = z.looseObject({ tags: z.array(inputTag).nullish(), dataset })

const toInput = ({ tags, dataset: set }: z.infer<typeof datasetInput>): DatasetInput => ({
  dataset: {
    name: set.name,
    digest: set.digest,
    sourceType: set.source_type,
    source: set.source,
    schema: set.schema ?? null,
    profile: set.profile ?? null,
  },
  tags: (tags ?? []).map(({ key, value }) => ({ key, value })),
})

export function linkRoutes(deps: TrackingDeps): Route[] {
  const logInputs = createLogInputs(deps)
  const logOutputs = createLogOutputs(deps)
  return [
    route({
      ...write,
      path: '/runs/log-inputs',
      summary: 'Notes the data sets and logged models that a run read.',
      maxBodyBytes: MAX_INPUT_BYTES,
      body: z.looseObject({
        ...runReference,
        datasets: z.array(datasetInput).max(1000).nullish(),
        models: z.array(z.looseObject({ model_id: text })).nullish(),
      }),
      handle: async ({ body }) => {
        const models = (body.models ?? []).map((model) => ({ modelId: model.model_id, step: 0 }))
        await logInputs(requireRunId(body), { datasets: (body.datasets ?? []).map(toInput), models })
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/runs/outputs',
      summary: 'Notes the logged models that a run wrote.',
      body: z.looseObject({ ...runReference, models: z.array(z.looseObject({ model_id: text, step: integer.nullish() })).nullish() }),
      handle: async ({ body }) => {
        await logOutputs(
          requireRunId(body),
          (body.models ?? []).map((model) => ({ modelId: model.model_id, step: model.step ?? 0 })),
        )
        return ok({})
      },
    }),
    logModelRoute(deps),
  ]
}

function logModelRoute(deps: TrackingDeps): Route {
  const logModel = createLogModel(deps)
  return route({
    ...write,
    path: '/runs/log-model',
    summary: 'Notes a model in a tag of its run, as clients before logged models did.',
    body: z.looseObject({ ...runReference, model_json: text }),
    handle: async ({ body }) => {
      await logModel(requireRunId(body), body.model_json)
      return ok({})
    },
  })
}
