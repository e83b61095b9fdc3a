import { generationResponse, modelName, servingSettingsRequest, servingSettingsResponse } from '@millrace/contracts/http/registry.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { actorOf } from '../actor.ts'
import { requireModel } from '../load-model.ts'
import { readServing } from '../store/serving.ts'
import { readServingSettings } from '../store/serving-settings.ts'
import type { UseCases } from '../use-cases.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'

const path = '/api/v1/models/:name/serving-settings'
const params = z.strictObject({ name: modelName })

/** How a model is served: batches, queue, threads, cache, what is logged and what of it is redacted. */
export const createServingSettingsRoutes = ({ database, setServingSettings }: UseCases): Route[] => [
  route({
    method: 'GET',
    path,
    access: 'read',
    summary: 'How a model is served, where it differs from how the pods are set up.',
    params,
    response: servingSettingsResponse,
    handle: async ({ params: { name } }) => {
      const model = await requireModel(database, name)
      const [settings, serving] = [await readServingSettings(database, model.id), await readServing(database, [model.name])]
      return ok({ model: model.name, generation: serving.get(model.name)?.generation ?? 0, settings })
    },
  }),
  route({
    method: 'PUT',
    path,
    access: 'promote',
    summary: 'Replaces how a model is served.',
    params,
    body: servingSettingsRequest,
    response: generationResponse,
    handle: async (request) => {
      const { settings, expectedGeneration, reason = '' } = request.body
      const idempotencyKey = idempotencyKeyOf(request.headers)
      return ok(await setServingSettings({ model: request.params.name, settings, expectedGeneration, reason, actor: actorOf(request), idempotencyKey }))
    },
  }),
]
