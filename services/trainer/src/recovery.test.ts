import { TrackingClient } from '@millrace/contracts/client/tracking-client.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { changeJob } from './apply-transition.ts'
import type { TrainerDeps } from './deps.ts'
import { cancel, finish, start, withRun } from './domain/job.ts'
import { createSubmitJob } from './submit-job.ts'
import type { FakeTracking } from './testing/fake-tracking.ts'
import { runningTrainer } from './testing/running-trainer.ts'
import { apiOver } from './tracking-api.ts'

const runsOf = (tracking: FakeTracking): TrackingClient => new TrackingClient(apiOver(tracking.client))
const done = { runId: 'run1', metrics: { test_accuracy: 0.8 }, dataDigest: 'd'.repeat(64) }

/** Whatever this writes down has a lease that has run out. */
const dead = (deps: TrainerDeps): TrainerDeps => ({ ...deps, config: { ...deps.config, TRAINER_LEASE_MS: -1 } })

/** A job that a process began, up to the point where the process was killed; its lease has run out since. */
async function beganJob(deps: TrainerDeps, dataset: string): Promise<string> {
  const submit = createSubmitJob(deps)
  const { job } = await submit({ model: 'fish', dataset, register: true }, 'ana', null)
  await changeJob(dead(deps), job.jobId, start)
  return job.jobId
}

async function makeRun(tracking: FakeTracking, jobId: string): Promise<string> {
  tracking.experiments.set('fish', '1')
  const tags = { 'millrace.job': jobId, 'millrace.attempt': '1' }
  const run = await runsOf(tracking).createRun({ experimentId: '1', name: 'n', user: 'ana', startTime: 1, tags, key: `${jobId}:1` })
  return run.runId
}

/** What is true in the end wherever the process was killed. */
async function expectOneOutcome(trainer: Awaited<ReturnType<typeof runningTrainer>>, attempts: number): Promise<void> {
  const [job] = await trainer.jobs()
  expect(await trainer.reached(job?.jobId ?? '', 'succeeded')).toMatchObject({ attempt: attempts })
  await until(() => trainer.tracking.runs.every(({ status }) => status !== 'RUNNING'))
  expect(trainer.tracking.runs.filter(({ finishes }) => finishes > 0)).toHaveLength(1)
  expect(trainer.tracking.runs.reduce((sum, { finishes }) => sum + finishes, 0)).toBe(1)
  await until(async () => (await trainer.published()).includes('finished'))
  expect((await trainer.published()).filter((name) => name === 'finished')).toHaveLength(1)
}

test('killed before the run was made: another attempt makes the model', async () => {
  const trainer = await runningTrainer({ before: async (deps, _tracking, dataset) => void (await beganJob(deps, dataset)) })
  await expectOneOutcome(trainer, 2)
})

test('killed between making the run and writing down which: that run is found and closed', async () => {
  const trainer = await runningTrainer({
    before: async (deps, tracking, dataset) => void (await makeRun(tracking, await beganJob(deps, dataset))),
  })
  await expectOneOutcome(trainer, 2)
  expect(trainer.tracking.run('run1').status).toBe('KILLED')
})

test('killed while training: the run is closed and another attempt makes the model', async () => {
  const trainer = await runningTrainer({
    async before(deps, tracking, dataset) {
      const jobId = await beganJob(deps, dataset)
      const runId = await makeRun(tracking, jobId)
      await changeJob(dead(deps), jobId, (job) => withRun(job, 1, runId))
    },
  })
  await expectOneOutcome(trainer, 2)
  expect(trainer.tracking.run('run1').status).toBe('KILLED')
})

test.each([
  ['before tracking was told that the run is finished', false],
  ['after tracking was told and before that was written down', true],
])('killed %s: the same run is the outcome', async (_, told) => {
  const trainer = await runningTrainer({
    async before(deps, tracking, dataset) {
      const jobId = await beganJob(deps, dataset)
      const runId = await makeRun(tracking, jobId)
      await changeJob(deps, jobId, (job) => finish(job, 1, { ...done, runId }))
      if (told) await runsOf(tracking).endRun({ runId, status: 'FINISHED', endTime: new Date() })
    },
  })
  await expectOneOutcome(trainer, 1)
  expect(trainer.engine.trained).toHaveLength(0)
})

test('killed while cancelling: the job is cancelled', async () => {
  const trainer = await runningTrainer({
    async before(deps, _tracking, dataset) {
      const jobId = await beganJob(deps, dataset)
      await changeJob(dead(deps), jobId, (job) => cancel(job, 'ana'))
    },
  })
  const [job] = await trainer.jobs()
  await trainer.reached(job?.jobId ?? '', 'cancelled')
  expect(trainer.engine.trained).toHaveLength(0)
})

test('a planned stop ends the worker and puts the job back without using up an attempt', async () => {
  const trainer = await runningTrainer()
  trainer.engine.hold = true
  const { jobId } = await trainer.submit({ maxAttempts: 1 })
  await until(() => trainer.engine.active === 1)
  await trainer.stop()
  expect(trainer.engine.active).toBe(0)
  const [row] = await trainer.database.query('select state, failures, attempt from job where job_id = $1', [jobId])
  expect(row).toEqual({ state: 'queued', failures: 0, attempt: 1 })
})
