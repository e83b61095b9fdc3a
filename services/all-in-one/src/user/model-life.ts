import { servedModels } from '@millrace/contracts/http/inference.ts'
import { type PromotionDecision, promotionDecisions } from '@millrace/contracts/http/promoter.ts'
import { modelOverview, versionDetail } from '@millrace/contracts/http/registry.ts'
import { type TrainingJob, type TrainingJobRequest, trainingJob } from '@millrace/contracts/http/trainer.ts'
import type { Story } from './story.ts'
import type { UserClient } from './user-client.ts'

const TRAINING_MS = 600_000
const ended = ['failed', 'timed_out', 'cancelled']

/** Nothing more will come of it. */
export const hasFailed = ({ state }: TrainingJob): boolean => ended.includes(state)

/** A model version on its way from a training job to live traffic. */
export interface Life {
  readonly job: TrainingJob
  readonly version: string
  readonly decision: PromotionDecision
}

const percent = (value: number | undefined): string => (value === undefined ? 'unknown' : `${(value * 100).toFixed(1)} %`)

/** Asks for a training and follows its model until pods serve it, telling each step. */
export async function trainAndServe(client: UserClient, story: Story, request: TrainingJobRequest, idempotencyKey?: string): Promise<Life> {
  const { jobId } = await client.send('POST', '/api/v1/training/jobs', request, trainingJob, idempotencyKey)
  return followJob(client, story, jobId)
}

/** Follows a job that is already there, such as one that the retraining policy asked for. @throws Error when the job or a gate fails. */
export async function followJob(client: UserClient, story: Story, jobId: string): Promise<Life> {
  const job = await client.waitFor('the training', () => finishedJob(client, jobId), TRAINING_MS)
  story.step(`run finished: test accuracy ${percent(job.metrics['test_accuracy'])}`)
  const version = await client.waitFor('the registration', () => versionOfRun(client, job))
  story.step(`registered ${job.model} v${version}`)
  const decision = await client.waitFor('the gates', () => decided(client, job.model, version))
  story.step(`gates passed: ${decision.gates.map((gate) => `${gate.gate} ${gate.outcome}`).join(', ')}`)
  await client.waitFor('the promotion', async () => ((await productionOf(client, job.model)) === version ? version : null))
  story.step(`promoted v${version} to Production`)
  await client.waitFor('the pods', () => served(client, job.model, version))
  story.step(`serving v${version}`)
  return { job, version, decision }
}

async function finishedJob(client: UserClient, jobId: string): Promise<TrainingJob | null> {
  const job = await client.get(`/api/v1/training/jobs/${encodeURIComponent(jobId)}`, trainingJob)
  if (hasFailed(job)) throw new Error(`training job ${jobId} ${job.state}: ${job.message}`)
  return job.state === 'succeeded' ? job : null
}

const overviewPath = (model: string): string => `/api/v1/models/${encodeURIComponent(model)}`

async function versionOfRun(client: UserClient, job: TrainingJob): Promise<string | null> {
  const decisions = await client.get(`/api/v1/promotions/decisions?model=${encodeURIComponent(job.model)}`, promotionDecisions)
  for (const { version } of decisions.decisions) {
    const detail = await client.get(`${overviewPath(job.model)}/versions/${version}`, versionDetail)
    if (detail.runId === job.runId) return version
  }
  return null
}

async function decided(client: UserClient, model: string, version: string): Promise<PromotionDecision | null> {
  const query = `model=${encodeURIComponent(model)}&version=${version}`
  const { decisions } = await client.get(`/api/v1/promotions/decisions?${query}`, promotionDecisions)
  const [decision] = decisions
  if (!decision) return null
  if (['rejected', 'failed', 'superseded'].includes(decision.state)) throw new Error(`v${version} was not promoted (${decision.state}): ${decision.reason}`)
  return ['promoting', 'promoted'].includes(decision.state) ? decision : null
}

export async function productionOf(client: UserClient, model: string): Promise<string | null> {
  return (await client.get(overviewPath(model), modelOverview)).production?.version ?? null
}

async function served(client: UserClient, model: string, version: string): Promise<true | null> {
  const { models } = await client.get('/api/v1/serving/models', servedModels)
  return models.some((entry) => entry.model === model && entry.version === version && entry.arm === 'production' && entry.state === 'ready') ? true : null
}
