import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promotionDecisions } from '@millrace/contracts/http/promoter.ts'
import { auditTrail, modelOverview } from '@millrace/contracts/http/registry.ts'
import { run, runTag } from '@millrace/contracts/http/tracking.ts'
import { trainingJob } from '@millrace/contracts/http/trainer.ts'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'
import { drawFish } from '@millrace/sample-fish/draw-fish.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { samplePromotionPolicy } from './sample/policies.ts'
import { type ChildMillrace, freePort, startChild } from './testing/child-millrace.ts'

const MODEL = 'fish'

let root: string
let port: number
let millrace: ChildMillrace

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-recovery-'))
  port = await freePort()
  await drawDataset({ root: join(root, 'datasets', 'fish'), seed: 1, light: 'daylight', imagesPerClass: 20 })
  millrace = await startChild(root, port)
  const policy = { ...samplePromotionPolicy, metrics: { test_accuracy: { min: 0.2 } } }
  await millrace.client.send('PUT', `/api/v1/promotions/policies/${MODEL}`, policy, z.looseObject({}))
})

afterEach(async () => {
  await millrace.kill()
  await rm(root, { recursive: true, force: true })
})

async function requestTraining(): Promise<string> {
  const request = { model: MODEL, dataset: join(root, 'datasets', 'fish'), register: true, parameters: { seed: 1, epochs: 5 } }
  return (await millrace.client.send('POST', '/api/v1/training/jobs', request, trainingJob, 'the-one-job')).jobId
}

/** Whatever was killed: in the end there is one finished run, one version, one decision, one promotion, and it serves. */
async function expectOneOutcome(jobId: string): Promise<void> {
  const { client } = millrace
  const job = await client.waitFor('the training', async () => {
    const found = await client.get(`/api/v1/training/jobs/${jobId}`, trainingJob)
    if (['failed', 'timed_out', 'cancelled'].includes(found.state)) throw new Error(`${found.state}: ${found.message}`)
    return found.state === 'succeeded' ? found : null
  })
  const image = new Uint8Array(await drawFish({ species: 'esox_lucius', seed: 99, light: 'daylight' }))
  const answer = await client.waitFor('an answer', () => client.predict(image, MODEL).catch(() => null))
  expect(answer.model_version).toBe('1')
  const model = await client.get(`/api/v1/models/${MODEL}`, modelOverview)
  expect(model).toMatchObject({ generation: 1, production: { version: '1', runId: job.runId } })
  expect(model.versions).toHaveLength(1)
  await client.waitFor('the decision to settle', async () => {
    const { decisions } = await client.get(`/api/v1/promotions/decisions?model=${MODEL}`, promotionDecisions)
    expect(decisions).toHaveLength(1)
    return decisions[0]?.state === 'promoted' ? true : null
  })
  const { entries } = await client.get(`/api/v1/models/${MODEL}/audit`, auditTrail)
  expect(entries.filter(({ to }) => to === 'Production')).toHaveLength(1)
  expect(await finishedRuns(jobId)).toEqual([job.runId])
}

async function finishedRuns(jobId: string): Promise<string[]> {
  const { client } = millrace
  const { experiments } = await client.get(
    '/api/2.0/mlflow/experiments/search?max_results=100',
    z.looseObject({ experiments: z.array(z.looseObject({ experiment_id: z.string() })) }),
  )
  const body = { experiment_ids: experiments.map((experiment) => experiment.experiment_id) }
  const { runs = [] } = await client.send('POST', '/api/2.0/mlflow/runs/search', body, z.looseObject({ runs: z.array(run).optional() }))
  const ofJob = runs.filter(({ data }) =>
    z
      .array(runTag)
      .parse(data.tags)
      .some(({ value }) => value === jobId),
  )
  expect(ofJob.every(({ info }) => info.status !== 'RUNNING')).toBe(true)
  return ofJob.filter(({ info }) => info.status === 'FINISHED').map(({ info }) => info.run_id)
}

test.each([
  { moment: 'training', event: 'io.millrace.training.started.v1' },
  { moment: 'registration', event: 'io.millrace.run.finished.v1' },
  { moment: 'promotion', event: 'io.millrace.modelversion.evaluated.v1' },
  { moment: 'reload', event: 'io.millrace.model.promoted.v1' },
])('killed during $moment, the next start resumes with exactly one outcome', async ({ event }) => {
  const killed = millrace.killOn(event)
  const jobId = await requestTraining()
  await killed
  millrace = await startChild(root, port)
  await expectOneOutcome(jobId)
  expect(await millrace.stop()).toBe(0)
})
