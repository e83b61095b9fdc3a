import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { createCreateRun } from '../create-run.ts'
import type { TrackingDeps } from '../deps.ts'
import { runStatuses } from '../domain/run.ts'
import { readRun } from '../read-run.ts'
import { readExperimentId } from '../refusals.ts'
import { createChangeRunLifecycle, createUpdateRun } from '../update-run.ts'
import { runInfoJson, runJson } from './run-json.ts'
import { requireRunId } from './run-reference.ts'
import { enumeration, keyValues, optionalInteger, optionalText, runReference, text } from './wire.ts'

const write = { errors: 'mlflow', method: 'POST', access: 'write' } as const

export function runRoutes(deps: TrackingDeps): Route[] {
  return [createRoute(deps), updateRoute(deps), ...lifecycleRoutes(deps), readRoute(deps)]
}

function createRoute(deps: TrackingDeps): Route {
  const createRun = createCreateRun(deps)
  return route({
    ...write,
    path: '/runs/create',
    summary: 'Starts a run. With an `idempotency-key` header, a repeated call answers with the run of the first.',
    body: z.looseObject({ experiment_id: optionalText, user_id: optionalText, run_name: optionalText, start_time: optionalInteger, tags: keyValues }),
    handle: async ({ body, headers }) => {
      const key = headers['idempotency-key']
      const view = await createRun({
        experimentId: readExperimentId(body.experiment_id || '0'),
        userId: body.user_id ?? '',
        runName: body.run_name,
        startTime: body.start_time,
        tags: body.tags,
        idempotencyKey: typeof key === 'string' ? key.slice(0, 200) : undefined,
      })
      return ok({ run: runJson(view) })
    },
  })
}

function updateRoute(deps: TrackingDeps): Route {
  const updateRun = createUpdateRun(deps)
  const status = enumeration(runStatuses, 1).nullish()
  return route({
    ...write,
    path: '/runs/update',
    summary: 'Changes status, end or name of a run.',
    body: z.looseObject({ ...runReference, status, end_time: optionalInteger, run_name: optionalText }),
    handle: async ({ body }) => {
      const change = { status: body.status ?? null, endTime: body.end_time ?? null, runName: body.run_name || null }
      return ok({ run_info: runInfoJson(await updateRun(requireRunId(body), change)) })
    },
  })
}

function lifecycleRoutes(deps: TrackingDeps): Route[] {
  const change = createChangeRunLifecycle(deps)
  const body = z.looseObject({ run_id: text })
  return [
    route({
      ...write,
      path: '/runs/delete',
      summary: 'Marks a run as deleted.',
      body,
      handle: async (request) => {
        await change(request.body.run_id, 'deleted')
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/runs/restore',
      summary: 'Brings back a run.',
      body,
      handle: async (request) => {
        await change(request.body.run_id, 'active')
        return ok({})
      },
    }),
  ]
}

const readRoute = (deps: TrackingDeps): Route =>
  route({
    errors: 'mlflow',
    method: 'GET',
    access: 'read',
    path: '/runs/get',
    summary: 'A run with its latest metrics, params, tags, inputs and outputs.',
    query: z.looseObject(runReference),
    handle: async ({ query }) => ok({ run: runJson(await readRun(deps.database, requireRunId(query))) }),
  })
