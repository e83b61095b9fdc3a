import type { Route } from '@millrace/platform/http/route.ts'
import { ok } from '@millrace/platform/http/route.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'
import { visibleModels } from '../access/visible-models.ts'
import { actorOf } from '../actor.ts'
import { requireModel } from '../load-model.ts'
import { presentModel } from '../present.ts'
import { findModels } from '../search.ts'
import { listAliases } from '../store/aliases.ts'
import type { ModelRow } from '../store/models.ts'
import { latestVersions } from '../store/versions.ts'
import type { UseCases } from '../use-cases.ts'
import { anyKey, description, name, newName, searchFields, tagKeyAndValue, tags } from './mlflow-fields.ts'
import { mlflowRoute } from './mlflow-route.ts'

/** MLflow's `registered-models/…`, aliases and stages apart. */
export const createModelRoutes = (useCases: UseCases): Route[] => [...readRoutes(useCases), ...writeRoutes(useCases), ...tagRoutes(useCases)]

async function describe(database: Database, rows: readonly ModelRow[]): Promise<Record<string, unknown>[]> {
  const ids = rows.map((row) => row.id)
  const [latest, aliases] = [await latestVersions(database, ids), await listAliases(database, ids)]
  return rows.map((row) => presentModel(row, latest, aliases))
}

const answerModel = async (database: Database, modelName: string) => {
  const [model] = await describe(database, [await requireModel(database, modelName)])
  return ok({ registered_model: model })
}

function readRoutes({ database }: UseCases): Route[] {
  const search = (path: string, summary: string) =>
    mlflowRoute({
      method: 'GET',
      path,
      access: 'read',
      summary,
      input: z.looseObject(searchFields(100, 1000)),
      handle: async (input, { caller }) => {
        const visible = await visibleModels(database, caller)
        const request = { filter: input.filter, orderBy: input.order_by, pageToken: input.page_token ?? null, maxResults: input.max_results, visible }
        const { rows, nextPageToken } = await findModels(database, request)
        const models = await describe(database, rows)
        return ok({ ...(models.length > 0 ? { registered_models: models } : {}), ...(nextPageToken ? { next_page_token: nextPageToken } : {}) })
      },
    })
  return [
    ...mlflowRoute({
      method: 'GET',
      path: 'registered-models/get',
      access: 'read',
      summary: 'Reads a registered model.',
      input: z.looseObject({ name }),
      handle: (input) => answerModel(database, input.name),
    }),
    ...search('registered-models/search', 'Searches registered models.'),
    ...search('registered-models/list', 'Lists registered models, for older clients.'),
  ]
}

function writeRoutes({ database, createModel, changeModel }: UseCases): Route[] {
  return [
    ...mlflowRoute({
      method: 'POST',
      path: 'registered-models/create',
      access: 'write',
      summary: 'Registers a model name.',
      input: z.looseObject({ name: newName('name'), tags, description }),
      handle: async (input, request) => {
        const row = await createModel({ name: input.name, description: input.description, tags: input.tags, actor: actorOf(request) })
        return ok({ registered_model: presentModel(row, [], []) })
      },
    }),
    ...mlflowRoute({
      method: 'PATCH',
      path: 'registered-models/update',
      access: 'write',
      summary: 'Describes a registered model.',
      input: z.looseObject({ name, description }),
      handle: async (input, request) => {
        await changeModel.describe(input.name, input.description, actorOf(request))
        return answerModel(database, input.name)
      },
    }),
    ...mlflowRoute({
      method: 'POST',
      path: 'registered-models/rename',
      access: 'write',
      summary: 'Renames a registered model with its versions, tags and aliases.',
      input: z.looseObject({ name, new_name: newName('new_name') }),
      handle: async (input, request) => {
        await changeModel.rename(input.name, input.new_name, actorOf(request))
        return answerModel(database, input.new_name)
      },
    }),
    ...mlflowRoute({
      method: 'DELETE',
      path: 'registered-models/delete',
      access: 'write',
      summary: 'Deletes a registered model with all its versions.',
      input: z.looseObject({ name }),
      handle: async (input, request) => {
        await changeModel.remove(input.name, actorOf(request))
        return ok({})
      },
    }),
  ]
}

function tagRoutes({ changeModel }: UseCases): Route[] {
  return [
    ...mlflowRoute({
      method: 'POST',
      path: 'registered-models/set-tag',
      access: 'write',
      summary: 'Sets a tag of a registered model.',
      input: z.looseObject({ name, ...tagKeyAndValue }),
      handle: async (input, request) => {
        await changeModel.setTag(input.name, input.key, input.value, actorOf(request))
        return ok({})
      },
    }),
    ...mlflowRoute({
      method: 'DELETE',
      path: 'registered-models/delete-tag',
      access: 'write',
      summary: 'Deletes a tag of a registered model.',
      input: z.looseObject({ name, key: anyKey }),
      handle: async (input, request) => {
        await changeModel.deleteTag(input.name, input.key, actorOf(request))
        return ok({})
      },
    }),
  ]
}
