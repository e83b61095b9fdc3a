import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promotionPolicy } from '@millrace/contracts/http/promoter.ts'
import { retrainingPolicy, type TrainingJob, type TrainingJobRequest, trainingJob } from '@millrace/contracts/http/trainer.ts'
import { drawFish } from '@millrace/sample-fish/draw-fish.ts'
import { z } from 'zod'
import type { ShownDirectory } from '../data-directory.ts'
import { followJob, hasFailed, productionOf } from '../user/model-life.ts'
import type { Story } from '../user/story.ts'
import type { UserClient } from '../user/user-client.ts'
import { drawOnce } from './draw-sample.ts'
import { SAMPLE_MODEL, samplePromotionPolicy, sampleRetrainingPolicy } from './policies.ts'

const IMAGES_PER_CLASS = 100
/** The same key at every start: a start that was killed finds its job again instead of asking for a second one. */
const JOB_KEY = 'sample-first-training'

export const sampleImagePath = (directory: ShownDirectory): string => join(directory.root, 'sample-pike.jpg')

/** Whether the sample model serves already; it does at every start but the first. */
export async function hasModel(client: UserClient): Promise<boolean> {
  const { models } = await client.get('/api/v1/models', z.looseObject({ models: z.array(z.looseObject({ model: z.string() })) }))
  return models.some(({ model }) => model !== SAMPLE_MODEL) || (models.length > 0 && (await productionOf(client, SAMPLE_MODEL)) !== null)
}

/** Draws fish, trains, and follows the model until it answers, as a user would: over HTTP through the gateway. Resumes where a killed start left off. */
export async function runSamplePipeline(client: UserClient, story: Story, directory: ShownDirectory): Promise<void> {
  const dataset = join(directory.datasets, 'fish')
  story.chapter('No model yet: training the sample, a classifier of fifteen freshwater fish')
  const drawn = await drawOnce(dataset, { seed: 1, light: 'daylight', imagesPerClass: IMAGES_PER_CLASS })
  story.step(
    drawn ? `drew ${15 * IMAGES_PER_CLASS} pictures in ${relative(process.cwd(), dataset)}` : `found the pictures in ${relative(process.cwd(), dataset)}`,
  )
  await client.send('PUT', `/api/v1/promotions/policies/${SAMPLE_MODEL}`, samplePromotionPolicy, z.looseObject({ policy: promotionPolicy }))
  await client.send('PUT', `/api/v1/training/policies/${SAMPLE_MODEL}`, sampleRetrainingPolicy(dataset), z.looseObject({ policy: retrainingPolicy }))
  const request = { model: SAMPLE_MODEL, dataset, register: true, parameters: { seed: 1 }, cause: 'first start' }
  const { jobId } = await requestTraining(client, request)
  await followJob(client, story, jobId)
}

/** The job of an earlier start while it can still succeed. One that failed, as after three kills, stays failed: its successor has a key of its own. */
export async function requestTraining(client: Pick<UserClient, 'send'>, request: TrainingJobRequest): Promise<TrainingJob> {
  let key = JOB_KEY
  for (;;) {
    const job = await client.send('POST', '/api/v1/training/jobs', request, trainingJob, key)
    if (!hasFailed(job)) return job
    key = `${JOB_KEY}-after-${job.jobId}`
  }
}

/** Writes the picture that the printed `curl` sends, and answers it once. */
export async function answerOnce(client: UserClient, story: Story, directory: ShownDirectory): Promise<void> {
  const image = new Uint8Array(await drawFish({ species: 'esox_lucius', seed: 7_001, light: 'daylight' }))
  await writeFile(sampleImagePath(directory), image)
  const answer = await client.predict(image, SAMPLE_MODEL)
  story.step(
    `answered: ${answer.predicted_label}, confidence ${answer.confidence.toFixed(2)}, ${answer.processing_time_ms.toFixed(1)} ms, by v${answer.model_version}`,
  )
}
