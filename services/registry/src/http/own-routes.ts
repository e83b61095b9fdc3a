import {
  auditTrail,
  generationResponse,
  lineage,
  modelName,
  modelOverview,
  modelOverviews,
  rollbackRequest,
  rollbackResponse,
  rolloutRequest,
  versionDetail,
} from '@millrace/contracts/http/registry.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { visibleOf } from '../access/visible-models.ts'
import { actorOf } from '../actor.ts'
import { modelNotFound, requireVersion } from '../load-model.ts'
import { readOverviews } from '../overview.ts'
import { presentAudit, presentDetail } from '../present.ts'
import { hasAudit, readAudit } from '../store/audit.ts'
import { findModel } from '../store/models.ts'
import type { UseCases } from '../use-cases.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'
import { createServingSettingsRoutes } from './serving-settings-routes.ts'

const number = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, "a version number such as '3'")
  .transform(Number)
const modelParams = z.strictObject({ name: modelName })
const versionParams = z.strictObject({ name: modelName, version: number })

/** Millrace's own view of models: `/api/v1/models/…`. */
export const createOwnRoutes = (useCases: UseCases): Route[] => [
  ...overviewRoutes(useCases),
  ...versionRoutes(useCases),
  auditRoute(useCases),
  ...servingRoutes(useCases),
  ...createServingSettingsRoutes(useCases),
]

const overviewRoutes = ({ database }: UseCases): Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/models',
    access: 'read',
    summary: 'All models with their versions and what is in Production.',
    response: modelOverviews,
    handle: async ({ caller }) => ok({ models: await visibleOf(database, caller, await readOverviews(database, null), ({ model }) => model) }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/models/:name',
    access: 'read',
    summary: 'One model with its versions and what is in Production.',
    params: modelParams,
    response: modelOverview,
    handle: async ({ params }) => {
      const [overview] = await readOverviews(database, params.name)
      if (!overview) throw modelNotFound(params.name)
      return ok(overview)
    },
  }),
]

const versionRoutes = ({ database, readLineage }: UseCases): Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/models/:name/versions/:version',
    access: 'read',
    summary: 'A version with its sealed artifact, its signature and whether it can be served.',
    params: versionParams,
    response: versionDetail,
    handle: async ({ params }) => ok(presentDetail(await requireVersion(database, params.name, params.version))),
  }),
  route({
    method: 'GET',
    path: '/api/v1/models/:name/versions/:version/lineage',
    access: 'read',
    summary: 'Where a version comes from: run, data, code; and what became of it.',
    params: versionParams,
    response: lineage,
    handle: async ({ params }) => ok(await readLineage(params.name, params.version)),
  }),
]

const AUDIT_PAGE = 100
const MAX_AUDIT_PAGE = 1000

/** The trail outlives the model. */
const auditRoute = ({ database }: UseCases): Route =>
  route({
    method: 'GET',
    path: '/api/v1/models/:name/audit',
    access: 'read',
    summary: 'Who changed what, when and why; newest first.',
    params: modelParams,
    query: z.strictObject({
      before: z.coerce.number().int().positive().optional(),
      limit: z.coerce.number().int().min(1).max(MAX_AUDIT_PAGE).default(AUDIT_PAGE),
      version: number.optional(),
    }),
    response: auditTrail,
    handle: async ({ params, query }) => {
      const model = await findModel(database, params.name)
      if (!model && !(await hasAudit(database, params.name))) throw modelNotFound(params.name)
      const page = { before: query.before ?? null, limit: query.limit + 1, ...(query.version === undefined ? {} : { version: query.version }) }
      const rows = await readAudit(database, { model: params.name, modelId: model?.id ?? null, ...page })
      const entries = rows.slice(0, query.limit).map(presentAudit)
      return ok({ entries, nextBefore: rows.length > query.limit ? (entries.at(-1)?.id ?? null) : null })
    },
  })

const servingRoutes = ({ setRollout, rollBack }: UseCases): Route[] => [
  route({
    method: 'PUT',
    path: '/api/v1/models/:name/rollout',
    access: 'promote',
    summary: 'Sets the candidates beside the Production version.',
    params: modelParams,
    body: rolloutRequest.extend({ candidates: z.array(rolloutRequest.shape.candidates.element.extend({ version: number })).max(16) }),
    response: generationResponse,
    handle: async (request) => {
      const { candidates, expectedGeneration, reason = '' } = request.body
      const idempotencyKey = idempotencyKeyOf(request.headers)
      return ok(await setRollout({ model: request.params.name, candidates, expectedGeneration, reason, actor: actorOf(request), idempotencyKey }))
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/models/:name/rollback',
    access: 'promote',
    summary: 'Promotes an earlier Production version again.',
    params: modelParams,
    body: rollbackRequest.extend({ version: number.optional() }),
    response: rollbackResponse,
    handle: async (request) => {
      const { version = null, reason, expectedGeneration = null } = request.body
      const idempotencyKey = idempotencyKeyOf(request.headers)
      return ok(await rollBack({ model: request.params.name, version, reason, expectedGeneration, actor: actorOf(request), idempotencyKey }))
    },
  }),
]
