import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultDriftPolicy, driftPolicyResponse, driftStatus } from '@millrace/contracts/http/drift.ts'
import { promotionDecision, promotionDecisions } from '@millrace/contracts/http/promoter.ts'
import { auditTrail, modelOverview, rollbackResponse } from '@millrace/contracts/http/registry.ts'
import { retrainingPolicyResponse, trainingJobs } from '@millrace/contracts/http/trainer.ts'
import { createLog } from '@millrace/platform/log.ts'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type DataDirectory, prepareDataDirectory } from './data-directory.ts'
import { samplePromotionPolicy, sampleRetrainingPolicy } from './sample/policies.ts'
import { type RunningMillrace, startMillrace } from './start-millrace.ts'
import { drawTraffic, sendUntil } from './tour/traffic.ts'
import { followJob, trainAndServe } from './user/model-life.ts'
import { createStory } from './user/story.ts'
import { createUserClient, type UserClient } from './user/user-client.ts'

const MODEL = 'fish'
const told: string[] = []
const story = createStory((line) => told.push(line))

let root: string
let directory: DataDirectory
let dataset: string
let millrace: { value: RunningMillrace; stop(): Promise<void> }
let client: UserClient

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-loop-'))
  directory = await prepareDataDirectory(root)
  dataset = join(directory.datasets, 'fish')
  await drawDataset({ root: dataset, seed: 1, light: 'daylight', imagesPerClass: 40 })
  const log = createLog({ level: 'info', destination: directory.log })
  millrace = await startMillrace({ directory, host: '127.0.0.1', port: 0, env: {}, log })
  client = createUserClient(millrace.value.url)
})

afterAll(async () => {
  await millrace.stop()
  await rm(root, { recursive: true, force: true })
})

test('the loop: train, register, gate, promote, serve, swap, roll back, drift, retrain, resolve', async () => {
  await client.send('PUT', `/api/v1/promotions/policies/${MODEL}`, { ...samplePromotionPolicy, metrics: { test_accuracy: { min: 0.5 } } }, z.looseObject({}))

  const first = await trainAndServe(client, story, { model: MODEL, dataset, register: true, parameters: { seed: 2 } })
  expect(first.version).toBe('1')
  const [daylight, underwater] = await Promise.all([drawTraffic('daylight', 11, 30), drawTraffic('underwater', 12, 150)])
  const answer = await client.predict(daylight[0] ?? new Uint8Array(), MODEL)
  expect(answer).toMatchObject({ model_name: MODEL, model_version: '1', cached: false })
  expect(answer.top_3_predictions).toHaveLength(3)

  const second = await trainAndServe(client, story, { model: MODEL, dataset, register: true, parameters: { seed: 1 } })
  expect(second.decision.gates.find(({ gate }) => gate === 'champion')?.outcome).toBe('pass')
  const back = await client.send('POST', `/api/v1/models/${MODEL}/rollback`, { reason: 'test' }, rollbackResponse)
  expect(back).toMatchObject({ version: '1', previousVersion: '2' })
  await client.waitFor('the rollback to be served', async () =>
    (await client.predict(daylight[1] ?? new Uint8Array(), MODEL)).model_version === '1' ? true : null,
  )

  await client.send('PUT', `/api/v1/training/policies/${MODEL}`, { ...sampleRetrainingPolicy(dataset), cooldownMs: 0 }, retrainingPolicyResponse)
  const quick = { ...defaultDriftPolicy, windowMs: 1000, latenessMs: 200, minWindowRows: 100 }
  await client.send('PUT', `/api/v1/drift/policies/${MODEL}`, quick, driftPolicyResponse)
  const readDrift = () => client.get(`/api/v1/drift/models/${MODEL}`, driftStatus)
  await sendUntil(client, MODEL, underwater, async (sent) => sent > 5000 || (await readDrift()).alertId !== null)
  // On a busy machine the monitor is behind the traffic: what was logged is judged all the same.
  const { alertId, state } = await client.waitFor('the drift alert', async () => {
    const status = await readDrift()
    return status.alertId === null ? null : status
  })
  expect(state).toBe('drifting')

  const job = await client.waitFor('the retraining job', async () => {
    const { jobs } = await client.get(`/api/v1/training/jobs?model=${MODEL}`, trainingJobs)
    return jobs.find(({ cause }) => cause.includes(String(alertId))) ?? null
  })
  expect(job.state).toBe('waiting_for_data')
  await drawDataset({ root: dataset, seed: 13, light: 'underwater', imagesPerClass: 20 })
  const third = await followJob(client, story, job.jobId)
  expect(third.version).toBe('3')
  const decision = await client.get(`/api/v1/promotions/decisions/${third.decision.decisionId}`, promotionDecision)
  expect(decision.championVersion).toBe('1')
  await client.waitFor('the alert to resolve', async () => ((await readDrift()).alertId === null ? true : null))
})

test('every promotion is in the audit trail, with one decision per version and generations without a gap', async () => {
  const { generation, production } = await client.get(`/api/v1/models/${MODEL}`, modelOverview)
  expect(production?.version).toBe('3')
  expect(generation).toBe(4)
  const { entries } = await client.get(`/api/v1/models/${MODEL}/audit`, auditTrail)
  expect(
    entries
      .filter(({ to }) => to === 'Production')
      .map(({ version }) => version)
      .sort(),
  ).toEqual(['1', '1', '2', '3'])
  const { decisions } = await client.get(`/api/v1/promotions/decisions?model=${MODEL}`, promotionDecisions)
  expect(decisions.map(({ version }) => version).sort()).toEqual(['1', '2', '3'])
})

test('nothing that a service logged asks for a person', async () => {
  const lines = (await readFile(directory.log, 'utf8')).split('\n').filter((line) => line.includes('"level":50'))
  expect(lines).toEqual([])
})
