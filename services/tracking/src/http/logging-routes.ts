import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { TrackingDeps } from '../deps.ts'
import { storedValue } from '../domain/metric.ts'
import { createDeleteTag, createLogBatch, createLogMetric, createLogParam, createSetTag, type LoggedPoint } from '../log-batch.ts'
import { requireRunId } from './run-reference.ts'
import { double, integer, keyValues, optionalText, runReference, text, time } from './wire.ts'

const write = { errors: 'mlflow', method: 'POST', access: 'write' } as const

/** A thousand metrics, a hundred params of 6,000 and a hundred tags of 8,000 characters of any alphabet fit. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

const metric = {
  key: text,
  value: double,
  timestamp: time,
  step: integer.nullish(),
  model_id: optionalText,
  dataset_name: optionalText,
  dataset_digest: optionalText,
}
const metricEntry = z.looseObject(metric)

const toPoint = (entry: z.infer<typeof metricEntry>): LoggedPoint => ({
  key: entry.key,
  ...storedValue(entry.value),
  timestamp: entry.timestamp,
  step: entry.step ?? 0,
  modelId: entry.model_id ?? '',
  datasetName: entry.dataset_name ?? '',
  datasetDigest: entry.dataset_digest ?? '',
})

export function loggingRoutes(deps: TrackingDeps): Route[] {
  return [batchRoute(deps), metricRoute(deps), paramRoute(deps), ...tagRoutes(deps)]
}

function batchRoute(deps: TrackingDeps): Route {
  const logBatch = createLogBatch(deps)
  return route({
    ...write,
    path: '/runs/log-batch',
    summary: 'Logs metrics, params and tags together, all or nothing.',
    maxBodyBytes: MAX_BATCH_BYTES,
    body: z.looseObject({ ...runReference, metrics: z.array(metricEntry).nullish(), params: keyValues, tags: keyValues }),
    handle: async ({ body }) => {
      await logBatch(requireRunId(body), { metrics: (body.metrics ?? []).map(toPoint), params: body.params, tags: body.tags })
      return ok({})
    },
  })
}

function metricRoute(deps: TrackingDeps): Route {
  const logMetric = createLogMetric(deps)
  return route({
    ...write,
    path: '/runs/log-metric',
    summary: 'Logs one point of a metric.',
    body: z.looseObject({ ...runReference, ...metric }),
    handle: async ({ body }) => {
      await logMetric(requireRunId(body), toPoint(body))
      return ok({})
    },
  })
}

function paramRoute(deps: TrackingDeps): Route {
  const logParam = createLogParam(deps)
  return route({
    ...write,
    path: '/runs/log-parameter',
    summary: 'Logs a param, once.',
    body: z.looseObject({ ...runReference, key: text, value: optionalText }),
    handle: async ({ body }) => {
      await logParam(requireRunId(body), { key: body.key, value: body.value ?? '' })
      return ok({})
    },
  })
}

function tagRoutes(deps: TrackingDeps): Route[] {
  const setTag = createSetTag(deps)
  const deleteTag = createDeleteTag(deps)
  return [
    route({
      ...write,
      path: '/runs/set-tag',
      summary: 'Sets a tag of a run.',
      body: z.looseObject({ ...runReference, key: text, value: optionalText }),
      handle: async ({ body }) => {
        await setTag(requireRunId(body), { key: body.key, value: body.value ?? '' })
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/runs/delete-tag',
      summary: 'Removes a tag of a run.',
      body: z.looseObject({ ...runReference, key: text }),
      handle: async ({ body }) => {
        await deleteTag(requireRunId(body), body.key)
        return ok({})
      },
    }),
  ]
}
