import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { runningTrainer } from './testing/running-trainer.ts'

test('a job makes a run that holds the model, its figures, the data it learned from and all that is needed to do it again', async () => {
  const trainer = await runningTrainer()
  const { jobId } = await trainer.submit({ register: true, cause: 'first', parameters: { seed: 7 } })
  const job = await trainer.reached(jobId, 'succeeded')
  expect(job).toMatchObject({ attempt: 1, progress: 1, requestedBy: 'ana', cause: 'first', metrics: { test_accuracy: 0.9 } })

  const run = trainer.tracking.run(job.runId ?? '')
  expect(run).toMatchObject({ status: 'FINISHED', finishes: 1, user: 'ana' })
  expect(run.tags).toMatchObject({ 'millrace.register': 'fish', 'millrace.register.path': 'model', 'millrace.job': jobId, 'millrace.cause': 'first' })
  expect(run.tags).toMatchObject({ 'millrace.dataset.path': trainer.dataset, 'millrace.dataset.digest': expect.stringMatching(/^[0-9a-f]{64}$/) })
  expect(run.params).toMatchObject({ seed: '7', epochs: '60' })
  expect(run.points.filter(({ key }) => key === 'val_loss').map(({ step, value }) => [step, value])).toEqual([
    [1, 1],
    [2, 0.5],
  ])
  expect(run.points.map(({ key }) => key)).toEqual(expect.arrayContaining(['loss', 'accuracy', 'val_accuracy', 'test_accuracy', 'recall.Salmo _trutta_']))
  expect(run.datasets).toEqual([expect.objectContaining({ name: 'fish', digest: String(run.tags['millrace.dataset.digest']).slice(0, 8) })])
  expect([...run.artifacts.keys()]).toEqual([
    'model/millrace-model.json',
    'model/head.onnx',
    'model/evaluation.json',
    'report/training-report.html',
    'reproducibility.json',
  ])
  expect(run.artifacts.get('model/head.onnx')?.toString()).toBe('model/head.onnx 7')
  expect(await readdir(join(trainer.folder, 'scratch', jobId))).toEqual([])
  await until(async () => (await trainer.published()).length === 3)
  expect(await trainer.published()).toEqual(['requested', 'started', 'finished'])
})

test('the reproducibility record names code, lockfile, environment, seed and data, and no other variable of the environment', async () => {
  process.env['MILLRACE_TEST_SECRET'] = 'hush-hush'
  const trainer = await runningTrainer()
  const { jobId } = await trainer.submit()
  const { runId } = await trainer.reached(jobId, 'succeeded')
  const text =
    trainer.tracking
      .run(runId ?? '')
      .artifacts.get('reproducibility.json')
      ?.toString() ?? ''
  const record = z.looseObject({ code: z.looseObject({}), environment: z.looseObject({}), data: z.looseObject({}), runKey: z.string() }).parse(JSON.parse(text))
  expect(record.code).toMatchObject({ lockfileSha256: expect.stringMatching(/^[0-9a-f]{64}$/), packages: { 'onnxruntime-node': expect.stringMatching(/^\d/) } })
  expect(record.environment).toMatchObject({ node: process.version, os: expect.any(String), cpu: { count: expect.any(Number) } })
  expect(record).toMatchObject({ randomness: { seed: 1 }, origin: { jobId, attempt: 1 }, data: { rows: { train: 2 } } })
  expect(text).not.toContain('hush-hush')
  delete process.env['MILLRACE_TEST_SECRET']
})

test('a job that is not to be registered makes a run without the tag', async () => {
  const trainer = await runningTrainer()
  const { runId } = await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  expect(trainer.tracking.run(runId ?? '').tags).not.toHaveProperty('millrace.register')
})

test('one job is trained at a time, in the order they were asked for', async () => {
  const trainer = await runningTrainer()
  const ids: string[] = []
  for (const seed of [1, 2, 3]) ids.push((await trainer.submit({ parameters: { seed } })).jobId)
  for (const id of ids) await trainer.reached(id, 'succeeded')
  expect(trainer.engine.mostActive).toBe(1)
  expect(trainer.engine.trained.map(({ seed }) => seed)).toEqual([1, 2, 3])
})

test('the same idempotency key is one job, also when the folder is gone meanwhile', async () => {
  const trainer = await runningTrainer()
  const first = await trainer.submit({}, 'key-1')
  expect((await trainer.submit({}, 'key-1')).jobId).toBe(first.jobId)
  expect((await trainer.submit({ dataset: join(trainer.root, 'gone') }, 'key-1')).jobId).toBe(first.jobId)
  expect(await trainer.jobs()).toHaveLength(1)
})

test('faults that pass are tried again with a run of their own, and the run of the failed attempt says so', async () => {
  const trainer = await runningTrainer()
  trainer.engine.failures.push(new TransientError('tracking is away'), new AppError('INTERNAL_ERROR', 'the worker died'))
  const job = await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  expect(job.attempt).toBe(3)
  await until(() => trainer.tracking.runs.filter(({ status }) => status === 'FAILED').length === 2)
  expect(trainer.tracking.runs.map(({ finishes }) => finishes)).toEqual([0, 0, 1])
  expect(trainer.engine.trained.map(({ seed }) => seed)).toEqual([1, 1, 1])
})

test('bad data are not tried again', async () => {
  const trainer = await runningTrainer()
  trainer.engine.failures.push(new AppError('INVALID_PARAMETER_VALUE', 'no image can be read'))
  const job = await trainer.reached((await trainer.submit()).jobId, 'failed')
  expect(job).toMatchObject({ attempt: 1, message: 'no image can be read' })
  await until(() => trainer.tracking.runs[0]?.status === 'FAILED')
  await until(async () => (await trainer.published()).at(-1) === 'failed')
})

test('an upload whose reply was lost, and a run end that was, are asked for again: one run, finished once', async () => {
  const trainer = await runningTrainer()
  trainer.tracking.failing = { text: 'model/head.onnx', times: 2 }
  const first = await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  expect(first.attempt).toBe(1)
  trainer.tracking.failing = { text: 'runs/update', times: 2 }
  const second = await trainer.reached((await trainer.submit()).jobId, 'succeeded')
  expect(trainer.tracking.run(second.runId ?? '').finishes).toBe(1)
})

test('a run that tracking refuses to finish fails the job instead of asking for ever', async () => {
  const trainer = await runningTrainer()
  trainer.tracking.failing = { text: 'runs/update', times: 1, refusal: new AppError('INVALID_PARAMETER_VALUE', 'the run was deleted') }
  const job = await trainer.reached((await trainer.submit()).jobId, 'failed')
  expect(job.message).toBe('The run could not be finished: the run was deleted')
})

test('a running job is cancelled when its worker has ended; asking twice is fine', async () => {
  const trainer = await runningTrainer()
  trainer.engine.hold = true
  const { jobId } = await trainer.submit()
  await until(() => trainer.engine.active === 1)
  const answer = await trainer.call(`/jobs/${jobId}/cancel`, { method: 'POST' })
  expect(answer).toMatchObject({ status: 200, body: { state: expect.stringMatching(/^cancell/) } })
  await trainer.reached(jobId, 'cancelled')
  expect(trainer.engine.active).toBe(0)
  expect((await trainer.call(`/jobs/${jobId}/cancel`, { method: 'POST' })).body).toMatchObject({ state: 'cancelled', message: 'Cancelled by ana' })
  await until(() => trainer.tracking.runs[0]?.status === 'KILLED')
})

test('a job in the queue is cancelled at once, one that ended otherwise cannot be', async () => {
  const trainer = await runningTrainer()
  trainer.engine.hold = true
  const first = await trainer.submit()
  const second = await trainer.submit()
  expect((await trainer.call(`/jobs/${second.jobId}/cancel`, { method: 'POST' })).body['state']).toBe('cancelled')
  trainer.engine.hold = false
  await trainer.reached(first.jobId, 'succeeded')
  const answer = await trainer.call(`/jobs/${first.jobId}/cancel`, { method: 'POST' })
  expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining("is 'succeeded'") } })
  expect(trainer.engine.trained).toHaveLength(1)
})

test('a job that takes longer than it may is stopped for good', async () => {
  const trainer = await runningTrainer()
  trainer.engine.hold = true
  const { jobId } = await trainer.submit({ timeoutMs: 1000 })
  expect((await trainer.reached(jobId, 'timed_out')).message).toBe('Took longer than 1000 ms')
  await until(() => trainer.tracking.runs[0]?.status === 'KILLED')
})

test('the log of a job can be followed from where one was', async () => {
  const trainer = await runningTrainer()
  const { jobId } = await trainer.submit()
  await trainer.reached(jobId, 'succeeded')
  const logs = z.object({ lines: z.array(z.object({ seq: z.int(), line: z.string() })), next: z.int() })
  const all = logs.parse((await trainer.call(`/jobs/${jobId}/logs`)).body)
  const text = all.lines.map(({ line }) => line)
  expect(text).toEqual(expect.arrayContaining([expect.stringMatching(/^epoch 2: loss 0.5000/), 'warning: 1 unreadable image', 'Finished']))
  const rest = logs.parse((await trainer.call(`/jobs/${jobId}/logs?after=${all.lines[1]?.seq}`)).body)
  expect(rest.lines).toEqual(all.lines.slice(2))
  expect(logs.parse((await trainer.call(`/jobs/${jobId}/logs?after=${all.next}`)).body)).toEqual({ lines: [], next: all.next })
})

test('jobs are listed newest first, by model and state', async () => {
  const trainer = await runningTrainer()
  const first = await trainer.submit()
  const second = await trainer.submit({ model: 'birds' })
  await trainer.reached(second.jobId, 'succeeded')
  expect((await trainer.jobs()).map(({ jobId }) => jobId)).toEqual([second.jobId, first.jobId])
  expect((await trainer.call('/jobs?model=birds&state=succeeded')).body['jobs']).toHaveLength(1)
  expect((await trainer.call('/jobs?model=birds&state=failed')).body['jobs']).toHaveLength(0)
})
