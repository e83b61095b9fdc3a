import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type PromotionDecision, promotionDecision } from '@millrace/contracts/http/promoter.ts'
import { retrainingPolicyResponse, type TrainingJob, trainingJobs } from '@millrace/contracts/http/trainer.ts'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'
import { sampleRetrainingPolicy } from '../sample/policies.ts'
import { followJob } from '../user/model-life.ts'
import { expectQuiet, readDrift } from './drift.ts'
import type { Stage } from './stage.ts'
import { drawTraffic } from './traffic.ts'

const NEW_PER_CLASS = 60
const RESOLVED_MS = 60_000
/** A prime: walks the pictures in an order that mixes both kinds, the same every time. */
const STRIDE = 7919

/**
 * From here on, and after the tour too, retraining learns from the tour's data set, because the model does: the sample's folder lacks what it has learned. The
 * pause between retrainings is off, because the tour's own training came just before.
 */
export async function pointRetrainingAt({ client, model, dataset }: Stage): Promise<void> {
  const path = `/api/v1/training/policies/${encodeURIComponent(model)}`
  await client.send('PUT', path, { ...sampleRetrainingPolicy(dataset), cooldownMs: 0 }, retrainingPolicyResponse)
}

/** Labelled pictures of the new kind arrive; the waiting job starts by itself and its model is compared with the champion on the same rows. */
export async function retrainOnNewData(stage: Stage, alertId: string): Promise<string> {
  const { client, story } = stage
  story.chapter('4. Labelled pictures of the new kind, and a retraining that waited for them')
  const job = await client.waitFor('the retraining job', () => jobOfAlert(stage, alertId))
  story.step(`the retraining policy made job ${job.jobId.slice(0, 8)}: ${job.state}`)
  await addLabelledPictures(stage.dataset, stage.seed + 3)
  story.step(`added ${15 * NEW_PER_CLASS} labelled underwater pictures to the data set`)
  const { version, decision } = await followJob(client, story, job.jobId)
  await tellComparison(stage, decision)
  return version
}

async function jobOfAlert({ client, model }: Stage, alertId: string): Promise<TrainingJob | null> {
  const { jobs } = await client.get(`/api/v1/training/jobs?model=${encodeURIComponent(model)}`, trainingJobs)
  return jobs.find((job) => job.cause.includes(alertId)) ?? null
}

/** Draws beside the data set and moves the files in at once, so that no snapshot sees half of them. */
async function addLabelledPictures(dataset: string, seed: number): Promise<void> {
  const beside = `${dataset}.incoming`
  await drawDataset({ root: beside, seed, light: 'underwater', imagesPerClass: NEW_PER_CLASS })
  const files = (await readdir(beside, { recursive: true })).filter((path) => path.endsWith('.jpg'))
  await Promise.all(files.map((path) => rename(join(beside, path), join(dataset, path))))
  await rm(beside, { recursive: true, force: true })
}

async function tellComparison({ client, story }: Stage, { decisionId }: PromotionDecision): Promise<void> {
  const decision = await client.get(`/api/v1/promotions/decisions/${encodeURIComponent(decisionId)}`, promotionDecision)
  const gate = decision.gates.find((candidate) => candidate.gate === 'champion')
  if (gate?.outcome !== 'pass') throw new Error(`champion and challenger were not compared: ${gate?.message ?? 'no such gate'}`)
  story.note(`champion v${decision.championVersion} and challenger v${decision.version}, same rows: ${gate.message}`)
}

/** The new version brings its own reference: the alert resolves, and traffic of both kinds, in the shares that the data set has them (8 to 3), is normal now. */
export async function expectResolved(stage: Stage, version: string): Promise<void> {
  const { client, story } = stage
  story.chapter('5. Drift resolved')
  await client.waitFor('the alert to resolve', async () => ((await readDrift(stage)).alertId === null ? true : null), RESOLVED_MS)
  story.step('DriftResolved')
  const daylight = await drawTraffic('daylight', stage.seed + 4, 480)
  const underwater = await drawTraffic('underwater', stage.seed + 5, 180)
  const pictures = [...daylight, ...underwater]
  const mixed = pictures.map((picture, index) => ({ picture, order: (index * STRIDE) % pictures.length }))
  await expectQuiet(
    stage,
    version,
    mixed.sort((a, b) => a.order - b.order).map(({ picture }) => picture),
    2,
  )
}
