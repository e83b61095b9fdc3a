import { driftPolicy, driftPolicyResponse, driftStatus, labelsRequest, labelsResponse } from '@millrace/contracts/http/drift.ts'
import { modelName } from '@millrace/contracts/http/registry.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { createChangePolicy } from './change-policy.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { createReadStatus } from './read-status.ts'
import { createReceiveLabels } from './receive-labels.ts'
import { readPolicy } from './store/policies.ts'

const params = z.strictObject({ model: modelName })

/** The drift monitor's own API. */
export function createRoutes(deps: DriftMonitorDeps): Route[] {
  const changePolicy = createChangePolicy(deps)
  const readStatus = createReadStatus(deps)
  const receiveLabels = createReceiveLabels(deps)
  return [
    route({
      method: 'GET',
      path: '/api/v1/drift/policies/:model',
      access: 'read',
      summary: 'The drift policy of a model, or the default',
      params,
      response: driftPolicyResponse,
      handle: async ({ params: { model } }) => ok({ model, policy: await readPolicy(deps.database, model) }),
    }),
    route({
      method: 'PUT',
      path: '/api/v1/drift/policies/:model',
      access: 'write',
      summary: 'Replaces the drift policy of a model',
      params,
      body: driftPolicy,
      response: driftPolicyResponse,
      async handle({ params: { model }, body, caller }) {
        await changePolicy(model, body, caller.user)
        return ok({ model, policy: body })
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/drift/models/:model',
      access: 'read',
      summary: 'Alert, policy and newest windows of a model',
      params,
      response: driftStatus,
      handle: async ({ params: { model } }) => ok(await readStatus(model)),
    }),
    route({
      method: 'POST',
      path: '/api/v1/labels',
      access: 'predict',
      summary: 'The truth about earlier predictions, up to 1000 at once',
      body: labelsRequest,
      response: labelsResponse,
      handle: async ({ body, caller }) => ok(await receiveLabels(body.labels, caller.user)),
    }),
  ]
}
