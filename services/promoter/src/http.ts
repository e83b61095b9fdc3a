import {
  decisionStates,
  policyResponse,
  promotionDecision,
  promotionDecisions,
  promotionPolicy,
  standing,
  verdictRequest,
} from '@millrace/contracts/http/promoter.ts'
import { modelName } from '@millrace/contracts/http/registry.ts'
import { ok, type Route, type RouteResponse, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { visibleModels } from './access.ts'
import type { PromoterDeps } from './deps.ts'
import { missingGates } from './domain/policy.ts'
import { createGiveVerdict, unknownDecision, type Verdict } from './give-verdict.ts'
import { createPutPolicy, policyOf } from './policies.ts'
import type { StoredPolicy } from './policy-store.ts'
import { findDecision, listDecisions, type StoredDecision } from './store.ts'

const BASE = '/api/v1/promotions'
const modelParams = z.object({ model: modelName })
const decisionParams = z.object({ id: z.string().min(1).max(200) })
const version = z.string().regex(/^[1-9]\d{0,15}$/, 'a version number, such as 3')
const versionParams = z.object({ model: modelName, version })
const decisionQuery = z.strictObject({
  model: modelName.optional(),
  version: version.optional(),
  state: z.enum(decisionStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

/** The promoter's own surface: policies, decisions with their evidence, and a version's standing. */
export const createRoutes = (deps: PromoterDeps): readonly Route[] => [
  ...policyRoutes(deps),
  ...decisionRoutes(deps),
  ...verdictRoutes(deps),
  standingRoute(deps),
]

function policyRoutes(deps: PromoterDeps): Route[] {
  const putPolicy = createPutPolicy(deps)
  const path = `${BASE}/policies/:model`
  return [
    route({
      ...{ method: 'GET', path, access: 'read', summary: "A model's promotion policy", params: modelParams, response: policyResponse },
      handle: async ({ params }) => ok(policyBody(params.model, await policyOf(deps, deps.database, params.model))),
    }),
    route({
      ...{
        method: 'PUT',
        path,
        access: 'promote',
        summary: "Sets a model's promotion policy",
        params: modelParams,
        body: promotionPolicy,
        response: policyResponse,
      },
      handle: async ({ params, body, caller }) => ok(policyBody(params.model, await putPolicy(params.model, body, caller.user))),
    }),
  ]
}

function decisionRoutes(deps: PromoterDeps): Route[] {
  return [
    route({
      ...{ method: 'GET', path: `${BASE}/decisions`, access: 'read', summary: 'Decisions with their evidence, newest first' },
      query: decisionQuery,
      response: promotionDecisions,
      handle: async ({ query, caller }) => {
        const visible = await visibleModels(deps.database, caller)
        const asked = { model: query.model ?? null, version: query.version ? Number(query.version) : null, state: query.state ?? null, limit: query.limit }
        const filter = { ...asked, visible }
        return ok({ decisions: (await listDecisions(deps.database, filter)).map(decisionBody) })
      },
    }),
    route({
      ...{ method: 'GET', path: `${BASE}/decisions/:id`, access: 'read', summary: 'One decision with its evidence' },
      params: decisionParams,
      response: promotionDecision,
      handle: async ({ params }) => {
        const found = await findDecision(deps.database, params.id)
        if (!found) throw unknownDecision(params.id)
        return ok(decisionBody(found))
      },
    }),
  ]
}

function verdictRoutes(deps: PromoterDeps): Route[] {
  const giveVerdict = createGiveVerdict(deps)
  const answer = async (verdict: Verdict): Promise<RouteResponse> => ok(decisionBody(await giveVerdict(verdict)))
  const shared = { method: 'POST', access: 'promote', params: decisionParams, body: verdictRequest, response: promotionDecision } as const
  return [
    route({
      ...{ ...shared, path: `${BASE}/decisions/:id/approve`, summary: 'Approves a decision that waits for it' },
      handle: ({ params, body, caller }) => answer({ decisionId: params.id, verdict: 'approve', by: caller.user, reason: body.reason }),
    }),
    route({
      ...{ ...shared, path: `${BASE}/decisions/:id/reject`, summary: 'Rejects a decision that waits for approval' },
      handle: ({ params, body, caller }) => answer({ decisionId: params.id, verdict: 'reject', by: caller.user, reason: body.reason }),
    }),
  ]
}

function standingRoute(deps: PromoterDeps): Route {
  return route({
    ...{ method: 'GET', path: `${BASE}/models/:model/versions/:version/standing`, access: 'read', summary: 'Gates that a version has not passed' },
    params: versionParams,
    response: standing,
    handle: async ({ params }) => {
      const { policyVersion, policy } = await policyOf(deps, deps.database, params.model)
      const [latest] = await listDecisions(deps.database, { model: params.model, version: Number(params.version), state: null, limit: 1 })
      return ok({ policyVersion, directPromotion: policy.directPromotion, missingGates: missingGates(policy, latest?.decision ?? null) })
    },
  })
}

const policyBody = (model: string, { policyVersion, policy, changedBy, changedAt }: StoredPolicy): z.infer<typeof policyResponse> => ({
  ...{ model, policyVersion, policy, changedBy },
  changedAt: changedAt?.toISOString() ?? null,
})

const decisionBody = ({ decision, createdAt, updatedAt }: StoredDecision): z.infer<typeof promotionDecision> => ({
  ...decision,
  gates: [...decision.gates],
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})
