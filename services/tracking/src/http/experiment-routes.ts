import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { createChangeExperimentLifecycle, createRenameExperiment } from '../change-experiment.ts'
import { createCreateExperiment } from '../create-experiment.ts'
import type { TrackingDeps } from '../deps.ts'
import type { Experiment } from '../domain/experiment.ts'
import { experimentMissing, missing, readExperimentId } from '../refusals.ts'
import { findExperiment, findExperimentByName } from '../store/experiments.ts'
import { createDeleteExperimentTag, createSetExperimentTag } from '../tag-experiment.ts'
import { keyValues, optionalText, text, textUpTo } from './wire.ts'

const mlflow = { errors: 'mlflow' } as const
const read = { ...mlflow, method: 'GET', access: 'read' } as const
const write = { ...mlflow, method: 'POST', access: 'write' } as const

export const experimentJson = (experiment: Experiment) => ({
  experiment_id: String(experiment.experimentId),
  name: experiment.name,
  artifact_location: experiment.artifactLocation,
  lifecycle_stage: experiment.lifecycle,
  last_update_time: experiment.lastUpdateTime,
  creation_time: experiment.creationTime,
  ...(experiment.tags.length > 0 ? { tags: experiment.tags } : {}),
})

export function experimentRoutes(deps: TrackingDeps): Route[] {
  return [...readRoutes(deps), ...lifecycleRoutes(deps), ...tagRoutes(deps)]
}

function readRoutes(deps: TrackingDeps): Route[] {
  return [
    route({
      ...read,
      path: '/experiments/get',
      summary: 'An experiment by id.',
      query: z.looseObject({ experiment_id: text }),
      handle: async ({ query }) => {
        const experiment = await findExperiment(deps.database, readExperimentId(query.experiment_id))
        if (!experiment) throw experimentMissing(query.experiment_id)
        return ok({ experiment: experimentJson(experiment) })
      },
    }),
    route({
      ...read,
      path: '/experiments/get-by-name',
      summary: 'An experiment by name, deleted ones too.',
      query: z.looseObject({ experiment_name: text }),
      handle: async ({ query }) => {
        const experiment = await findExperimentByName(deps.database, query.experiment_name)
        if (!experiment) throw missing(`Could not find experiment with name '${query.experiment_name}'`)
        return ok({ experiment: experimentJson(experiment) })
      },
    }),
  ]
}

function lifecycleRoutes(deps: TrackingDeps): Route[] {
  const createExperiment = createCreateExperiment(deps)
  const changeLifecycle = createChangeExperimentLifecycle(deps)
  const rename = createRenameExperiment(deps)
  const body = z.looseObject({ experiment_id: text })
  return [
    route({
      ...write,
      path: '/experiments/create',
      summary: 'Makes an experiment.',
      body: z.looseObject({ name: textUpTo(500), artifact_location: optionalText, tags: keyValues }),
      handle: async ({ body: { name, artifact_location, tags }, caller }) =>
        ok({ experiment_id: String(await createExperiment({ name, artifactLocation: artifact_location ?? '', tags, owner: caller.user })) }),
    }),
    route({
      ...write,
      path: '/experiments/delete',
      summary: 'Marks an experiment and its runs as deleted.',
      body,
      handle: async (request) => {
        await changeLifecycle(readExperimentId(request.body.experiment_id), 'deleted')
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/experiments/restore',
      summary: 'Brings back an experiment and all of its runs.',
      body,
      handle: async (request) => {
        await changeLifecycle(readExperimentId(request.body.experiment_id), 'active')
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/experiments/update',
      summary: 'Renames an experiment.',
      body: z.looseObject({ experiment_id: text, new_name: textUpTo(500).nullish() }),
      handle: async (request) => {
        const { experiment_id, new_name } = request.body
        if (new_name) await rename(readExperimentId(experiment_id), new_name)
        return ok({})
      },
    }),
  ]
}

function tagRoutes(deps: TrackingDeps): Route[] {
  const setTag = createSetExperimentTag(deps)
  const deleteTag = createDeleteExperimentTag(deps)
  return [
    route({
      ...write,
      path: '/experiments/set-experiment-tag',
      summary: 'Sets a tag of an experiment.',
      body: z.looseObject({ experiment_id: text, key: text, value: z.string() }),
      handle: async ({ body: { experiment_id, key, value } }) => {
        await setTag(readExperimentId(experiment_id), { key, value })
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/experiments/delete-experiment-tag',
      summary: 'Removes a tag of an experiment.',
      body: z.looseObject({ experiment_id: text, key: text }),
      handle: async ({ body: { experiment_id, key } }) => {
        await deleteTag(readExperimentId(experiment_id), key)
        return ok({})
      },
    }),
  ]
}
