import { modelName } from '@millrace/contracts/http/registry.ts'
import {
  evaluationRequest,
  evaluationStatus,
  jobStates,
  retrainingPolicy,
  retrainingPolicyResponse,
  trainingJob,
  trainingJobRequest,
  trainingJobs,
  trainingLogs,
} from '@millrace/contracts/http/trainer.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { created, ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { visibleModels } from './access.ts'
import type { createCancelJob } from './cancel-job.ts'
import type { TrainerDeps } from './deps.ts'
import { findEvaluation, type StoredEvaluation } from './evaluation-store.ts'
import { findJob, listJobs, type StoredJob } from './job-store.ts'
import { readLog } from './log-store.ts'
import { createPutPolicy, findPolicy, type StoredPolicy } from './policies.ts'
import { noPolicy, unknownEvaluation, unknownJob } from './refusals.ts'
import { createSubmitEvaluation } from './submit-evaluation.ts'
import { createSubmitJob } from './submit-job.ts'

const BASE = '/api/v1/training'
const idParams = z.object({ id: z.string().min(1).max(200) })
const modelParams = z.object({ model: modelName })
const jobsQuery = z.strictObject({
  model: modelName.optional(),
  state: z.enum(jobStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
const logsQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
})

export interface RouteDeps extends TrainerDeps {
  readonly cancelJob: ReturnType<typeof createCancelJob>
}

/** The trainer's surface: jobs with their logs, retraining policies, evaluations. */
export const createRoutes = (deps: RouteDeps): readonly Route[] => [...jobRoutes(deps), ...oneJobRoutes(deps), ...policyRoutes(deps), ...evaluationRoutes(deps)]

/** @throws AppError INVALID_PARAMETER_VALUE for a key that is empty or too long */
function keyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null
  if (typeof header === 'string' && header.length >= 1 && header.length <= 200) return header
  throw new AppError('INVALID_PARAMETER_VALUE', 'The header idempotency-key must hold one text of 1 to 200 characters.')
}

function jobRoutes(deps: RouteDeps): Route[] {
  const submitJob = createSubmitJob(deps)
  const path = `${BASE}/jobs`
  return [
    route({
      ...{ method: 'POST', path, access: 'write', summary: 'Asks for a training', body: trainingJobRequest, response: trainingJob },
      handle: async ({ body, caller, headers }) => created(jobBody(await submitJob(body, caller.user, keyOf(headers['idempotency-key'])))),
    }),
    route({
      ...{ method: 'GET', path, access: 'read', summary: 'Training jobs, newest first', query: jobsQuery, response: trainingJobs },
      handle: async ({ query: { model = null, state = null, limit }, caller }) => {
        const visible = await visibleModels(deps.database, caller)
        return ok({ jobs: (await listJobs(deps.database, { model, state, visible, limit })).map(jobBody) })
      },
    }),
  ]
}

function oneJobRoutes(deps: RouteDeps): Route[] {
  const find = async (jobId: string): Promise<StoredJob> => {
    const stored = await findJob(deps.database, jobId)
    if (!stored) throw unknownJob(jobId)
    return stored
  }
  return [
    route({
      ...{ method: 'GET', path: `${BASE}/jobs/:id`, access: 'read', summary: 'One training job', params: idParams, response: trainingJob },
      handle: async ({ params }) => ok(jobBody(await find(params.id))),
    }),
    route({
      ...{ method: 'POST', path: `${BASE}/jobs/:id/cancel`, access: 'write', summary: 'Cancels a training job', params: idParams, response: trainingJob },
      handle: async ({ params, caller }) => ok(jobBody(await deps.cancelJob(params.id, caller.user))),
    }),
    route({
      ...{ method: 'GET', path: `${BASE}/jobs/:id/logs`, access: 'read', summary: 'What a training job said', params: idParams, query: logsQuery },
      response: trainingLogs,
      handle: async ({ params, query }) => {
        await find(params.id)
        const lines = await readLog(deps.database, params.id, query.after, query.limit)
        return ok({ lines: lines.map(({ seq, at, line }) => ({ seq, at: at.toISOString(), line })), next: lines.at(-1)?.seq ?? query.after })
      },
    }),
  ]
}

function policyRoutes(deps: RouteDeps): Route[] {
  const putPolicy = createPutPolicy(deps)
  const shared = { path: `${BASE}/policies/:model`, params: modelParams, response: retrainingPolicyResponse } as const
  return [
    route({
      ...{ ...shared, method: 'GET', access: 'read', summary: "A model's retraining policy" },
      handle: async ({ params: { model } }) => {
        const stored = await findPolicy(deps.database, model)
        if (!stored) throw noPolicy(model)
        return ok(policyBody(model, stored))
      },
    }),
    route({
      ...{ ...shared, method: 'PUT', access: 'write', summary: "Sets a model's retraining policy", body: retrainingPolicy },
      handle: async ({ params: { model }, body, caller }) => ok(policyBody(model, await putPolicy(model, body, caller.user))),
    }),
  ]
}

function evaluationRoutes(deps: RouteDeps): Route[] {
  const submitEvaluation = createSubmitEvaluation(deps)
  return [
    route({
      ...{ method: 'POST', path: `${BASE}/evaluations`, access: 'write', summary: 'Runs a sealed model over a test split', body: evaluationRequest },
      response: evaluationStatus,
      handle: async ({ body, headers }) => created(evaluationBody(await submitEvaluation(body, keyOf(headers['idempotency-key'])))),
    }),
    route({
      ...{ method: 'GET', path: `${BASE}/evaluations/:id`, access: 'read', summary: 'An evaluation with its rows', params: idParams },
      response: evaluationStatus,
      handle: async ({ params }) => {
        const stored = await findEvaluation(deps.database, params.id)
        if (!stored) throw unknownEvaluation(params.id)
        return ok(evaluationBody(stored))
      },
    }),
  ]
}

const jobBody = ({ job, progress, createdAt, startedAt, endedAt }: StoredJob): z.infer<typeof trainingJob> => ({
  ...{ jobId: job.jobId, model: job.model, dataset: job.dataset, experiment: job.experiment, parameters: job.parameters, register: job.register },
  ...{ state: job.state, attempt: job.attempt, maxAttempts: job.maxAttempts, timeoutMs: job.timeoutMs, runId: job.runId },
  ...{ cause: job.cause, requestedBy: job.requestedBy, progress, message: job.message, metrics: { ...job.metrics }, dataDigest: job.dataDigest },
  ...{ createdAt: createdAt.toISOString(), startedAt: startedAt?.toISOString() ?? null, endedAt: endedAt?.toISOString() ?? null },
})

const policyBody = (model: string, { policy, changedBy, changedAt }: StoredPolicy): z.infer<typeof retrainingPolicyResponse> => ({
  ...{ model, policy, changedBy, changedAt: changedAt.toISOString() },
})

const evaluationBody = ({ evaluationId, state, message, evaluation }: StoredEvaluation): z.infer<typeof evaluationStatus> => ({
  ...{ evaluationId, state, message, evaluation },
})
