import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { driftDetected, performanceDegraded } from '@millrace/contracts/events/drift-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { runningTrainer, writeFiles } from './testing/running-trainer.ts'

type Trainer = Awaited<ReturnType<typeof runningTrainer>>

const window = { model: 'fish', version: '1', windowStart: '2026-01-01T00:00:00Z', windowEnd: '2026-01-01T00:01:00Z', rows: 500, referenceRows: 150 }
const drift = (alertId: string, severity = 'critical') => ({ ...window, alertId, severity, driftedShare: 0.5, features: [] })
const degraded = (alertId: string) => ({ ...window, alertId, metric: 'accuracy', value: 0.6, limit: 0.8, labelledRows: 100 })

const policy = { parameters: { seed: 3 }, onDrift: 'warning', onPerformance: true, waitForNewData: false, cooldownMs: 0 }

async function setPolicy(trainer: Trainer, changes: Record<string, unknown> = {}): Promise<void> {
  const answer = await trainer.call('/policies/fish', { method: 'PUT', body: { ...policy, dataset: trainer.dataset, ...changes } })
  expect(answer.status).toBe(200)
}

const jobOf = (trainer: Trainer, alertId: string) => until(async () => (await trainer.jobs()).find((job) => job.cause.includes(alertId)))

/** Resolves when the consumer has dealt with everything that was said before. */
async function caughtUp(trainer: Trainer): Promise<void> {
  await trainer.call('/policies/probe', { method: 'PUT', body: { ...policy, dataset: trainer.dataset } })
  const alertId = `probe-${performance.now()}`
  await trainer.emit(driftDetected, { ...drift(alertId), model: 'probe' })
  await jobOf(trainer, alertId)
}

test('drift makes one registered training per alert, however often it is told', async () => {
  const trainer = await runningTrainer()
  await setPolicy(trainer)
  await trainer.emit(driftDetected, drift('alert-1'))
  const job = await jobOf(trainer, 'alert-1')
  expect(job).toMatchObject({ cause: 'drift alert alert-1', requestedBy: 'retraining-policy', parameters: { seed: 3 } })
  const { runId } = await trainer.reached(job.jobId, 'succeeded')
  expect(trainer.tracking.run(runId ?? '').tags).toMatchObject({ 'millrace.register': 'fish', 'millrace.cause': 'drift alert alert-1' })
  await trainer.emit(driftDetected, drift('alert-1'))
  await caughtUp(trainer)
  expect((await trainer.jobs()).filter(({ model }) => model === 'fish')).toHaveLength(1)
})

test('an alert that the policy leaves to people makes no job', async () => {
  const trainer = await runningTrainer()
  await trainer.emit(driftDetected, drift('no-policy'))
  await setPolicy(trainer, { onDrift: 'critical', onPerformance: false, cooldownMs: 3_600_000 })
  await trainer.emit(driftDetected, drift('too-mild', 'warning'))
  await trainer.emit(performanceDegraded, degraded('not-wanted'))
  await trainer.emit(driftDetected, drift('taken'))
  const taken = await jobOf(trainer, 'taken')
  await trainer.reached(taken.jobId, 'succeeded')
  await trainer.emit(driftDetected, drift('too-soon'))
  await caughtUp(trainer)
  expect((await trainer.jobs()).filter(({ model }) => model === 'fish').map(({ cause }) => cause)).toEqual(['drift alert taken'])
})

test('a retraining waits until the data differ, looks at bytes and not at times, and then starts by itself', async () => {
  const trainer = await runningTrainer()
  await setPolicy(trainer, { waitForNewData: true })
  const first = await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  await trainer.emit(performanceDegraded, degraded('alert-2'))
  const waiting = await jobOf(trainer, 'alert-2')
  expect(waiting.state).toBe('waiting_for_data')

  await writeFile(join(trainer.dataset, 'train/a/1.jpg'), 'x')
  await until(async () => {
    const [row] = await trainer.database.query<{ seen: string | null }>('select seen_fingerprint as seen from job where job_id = $1', [waiting.jobId])
    return row?.seen
  })
  expect((await trainer.job(waiting.jobId)).state).toBe('waiting_for_data')

  await writeFiles(trainer.dataset, ['train/a/2.jpg'], 'something new')
  const second = await trainer.reached(waiting.jobId, 'succeeded')
  expect(second['dataDigest']).not.toBe(first['dataDigest'])
})

test('without a model that learned from data before, there is nothing to wait for', async () => {
  const trainer = await runningTrainer()
  await setPolicy(trainer, { waitForNewData: true })
  await trainer.emit(driftDetected, drift('alert-3'))
  await trainer.reached((await jobOf(trainer, 'alert-3')).jobId, 'succeeded')
})

test('a folder that is broken while a job waits is waited for, and said', async () => {
  const trainer = await runningTrainer()
  await setPolicy(trainer, { waitForNewData: true })
  await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  await trainer.emit(driftDetected, drift('alert-4'))
  const { jobId } = await jobOf(trainer, 'alert-4')
  await rm(join(trainer.dataset, 'val'), { recursive: true })
  await until(async () => (await trainer.job(jobId)).message.includes("no 'val' folder"))
  await writeFiles(trainer.dataset, ['val/a/9.jpg', 'val/b/9.jpg'])
  await trainer.reached(jobId, 'succeeded')
})

test('a newer alert takes the place of a job that still waits', async () => {
  const trainer = await runningTrainer()
  await setPolicy(trainer, { waitForNewData: true })
  await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  await trainer.emit(driftDetected, drift('alert-5'))
  const older = await jobOf(trainer, 'alert-5')
  await trainer.emit(driftDetected, drift('alert-6'))
  const newer = await jobOf(trainer, 'alert-6')
  expect((await trainer.reached(older.jobId, 'cancelled')).message).toContain(newer.jobId)
  expect((await trainer.job(newer.jobId)).state).toBe('waiting_for_data')
})

test('a policy can be read back, and a model without one says so', async () => {
  const trainer = await runningTrainer()
  expect(await trainer.call('/policies/fish')).toMatchObject({ status: 404, body: { detail: expect.stringContaining('no retraining policy') } })
  await setPolicy(trainer, { onDrift: 'off' })
  expect((await trainer.call('/policies/fish')).body).toMatchObject({ model: 'fish', policy: { onDrift: 'off' }, changedBy: 'ana' })
})
