import { ok, type Route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { actorOf } from '../actor.ts'
import { requireVersion } from '../load-model.ts'
import { presentVersion } from '../present.ts'
import type { UseCases } from '../use-cases.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'
import { anyKey, description, name, optionalText, source, tagKeyAndValue, tags, version } from './mlflow-fields.ts'
import { mlflowRoute } from './mlflow-route.ts'

const RUN_ID = 256
const RUN_LINK = 2048

/** MLflow's `model-versions/…` that write, stages apart. */
export const createVersionRoutes = (useCases: UseCases): Route[] => [...createRoutes(useCases), ...changeRoutes(useCases), ...tagRoutes(useCases)]

const createRoutes = ({ createVersion }: UseCases): Route[] =>
  mlflowRoute({
    method: 'POST',
    path: 'model-versions/create',
    access: 'write',
    summary: 'Registers a version of a model: its files are sealed before it is READY.',
    input: z.looseObject({
      name,
      source,
      run_id: optionalText('run_id', RUN_ID),
      model_id: optionalText('model_id', RUN_ID),
      tags,
      run_link: optionalText('run_link', RUN_LINK),
      description,
    }),
    handle: async (input, request) => {
      const row = await createVersion({
        model: input.name,
        source: input.source,
        runId: input.run_id,
        runLink: input.run_link,
        loggedModelId: input.model_id || null,
        description: input.description,
        tags: input.tags,
        actor: actorOf(request),
        idempotencyKey: idempotencyKeyOf(request.headers),
        signal: request.signal,
      })
      return ok({ model_version: presentVersion(row) })
    },
  })

const changeRoutes = ({ database, changeVersion, deleteVersion }: UseCases): Route[] => [
  ...mlflowRoute({
    method: 'PATCH',
    path: 'model-versions/update',
    access: 'write',
    summary: 'Describes a version.',
    input: z.looseObject({ name, version, description }),
    handle: async (input, request) => {
      await changeVersion.describe({ model: input.name, version: input.version }, input.description, actorOf(request))
      return ok({ model_version: presentVersion(await requireVersion(database, input.name, input.version)) })
    },
  }),
  ...mlflowRoute({
    method: 'DELETE',
    path: 'model-versions/delete',
    access: 'write',
    summary: 'Deletes a version with its aliases and takes it out of service.',
    input: z.looseObject({ name, version }),
    handle: async (input, request) => {
      await deleteVersion({ model: input.name, version: input.version, actor: actorOf(request) })
      return ok({})
    },
  }),
]

const tagRoutes = ({ changeVersion }: UseCases): Route[] => [
  ...mlflowRoute({
    method: 'POST',
    path: 'model-versions/set-tag',
    access: 'write',
    summary: 'Sets a tag of a version.',
    input: z.looseObject({ name, version, ...tagKeyAndValue }),
    handle: async (input, request) => {
      await changeVersion.setTag({ model: input.name, version: input.version }, input.key, input.value, actorOf(request))
      return ok({})
    },
  }),
  ...mlflowRoute({
    method: 'DELETE',
    path: 'model-versions/delete-tag',
    access: 'write',
    summary: 'Deletes a tag of a version.',
    input: z.looseObject({ name, version, key: anyKey }),
    handle: async (input, request) => {
      await changeVersion.deleteTag({ model: input.name, version: input.version }, input.key, actorOf(request))
      return ok({})
    },
  }),
]
