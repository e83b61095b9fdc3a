import { ok, type Route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { actorOf } from '../actor.ts'
import { presentVersion } from '../present.ts'
import { resolveAlias } from '../resolve-reference.ts'
import type { UseCases } from '../use-cases.ts'
import { alias, aliasReference, name, version } from './mlflow-fields.ts'
import { mlflowRoute } from './mlflow-route.ts'

const path = 'registered-models/alias'

/** MLflow's aliases: names such as `champion` that point to one version of a model each. */
export const createAliasRoutes = ({ database, changeVersion }: UseCases): Route[] => [
  ...mlflowRoute({
    method: 'POST',
    path,
    access: 'write',
    summary: 'Points an alias to a version.',
    input: z.looseObject({ name, alias, version }),
    handle: async (input, request) => {
      await changeVersion.setAlias({ model: input.name, version: input.version }, input.alias, actorOf(request))
      return ok({})
    },
  }),
  ...mlflowRoute({
    method: 'DELETE',
    path,
    access: 'write',
    summary: 'Removes an alias.',
    input: z.looseObject({ name, alias }),
    handle: async (input, request) => {
      await changeVersion.deleteAlias(input.name, input.alias, actorOf(request))
      return ok({})
    },
  }),
  ...mlflowRoute({
    method: 'GET',
    path,
    access: 'read',
    summary: 'Reads the version that an alias points to.',
    input: z.looseObject({ name, alias: aliasReference }),
    handle: async (input) => ok({ model_version: presentVersion(await resolveAlias(database, input.name, input.alias)) }),
  }),
]
