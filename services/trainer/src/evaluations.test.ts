import { evaluationStatus } from '@millrace/contracts/http/trainer.ts'
import { canonicalManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { datasetDigest } from './learning/dataset-digest.ts'
import { listDataset } from './learning/list-dataset.ts'
import { runningTrainer } from './testing/running-trainer.ts'

type Trainer = Awaited<ReturnType<typeof runningTrainer>>

async function sealed(trainer: Trainer) {
  const file = await trainer.blobs.put(Buffer.from('{}'))
  const { sha256 } = await trainer.blobs.put(Buffer.from(canonicalManifest([{ path: 'millrace-model.json', ...file }])))
  return { uri: `blob:${sha256}`, sha256, sizeBytes: file.sizeBytes, format: 'onnx' }
}

async function ask(trainer: Trainer, changes: Record<string, unknown> = {}, key?: string) {
  const datasetSha = await datasetDigest(await listDataset(trainer.dataset))
  const body = { artifact: await sealed(trainer), dataset: trainer.dataset, datasetDigest: datasetSha, ...changes }
  const answer = await trainer.call('/evaluations', { method: 'POST', body, ...(key ? { key } : {}) })
  expect(answer.status).toBe(201)
  return evaluationStatus.parse(answer.body)
}

const settled = (trainer: Trainer, id: string) =>
  until(async () => {
    const status = evaluationStatus.parse((await trainer.call(`/evaluations/${id}`)).body)
    return ['succeeded', 'failed'].includes(status.state) ? status : null
  })

test('a sealed model is asked about every row of the test split, and the answers are kept row by row', async () => {
  const trainer = await runningTrainer()
  const { evaluationId } = await ask(trainer)
  const status = await settled(trainer, evaluationId)
  expect(status).toMatchObject({ state: 'succeeded', evaluation: { split: 'test', classes: ['a', 'b'] } })
  expect(status.evaluation?.rows).toEqual([
    { id: 'test/a/1.jpg', actual: 'a', predicted: 'a', confidence: 0.5 },
    { id: 'test/b/1.jpg', actual: 'b', predicted: 'a', confidence: 0.5 },
  ])
})

test('the same key is the same evaluation', async () => {
  const trainer = await runningTrainer()
  const first = await ask(trainer, {}, 'key')
  expect((await ask(trainer, {}, 'key')).evaluationId).toBe(first.evaluationId)
})

test('data that are not those asked about are refused, with both digests', async () => {
  const trainer = await runningTrainer()
  const { evaluationId } = await ask(trainer, { datasetDigest: 'another' })
  expect(await settled(trainer, evaluationId)).toMatchObject({
    state: 'failed',
    evaluation: null,
    message: expect.stringMatching(/have changed.*[0-9a-f]{64}.*another/),
  })
})

test.each([
  ['a model that is not in the store', { artifact: { uri: 'x', sha256: 'a'.repeat(64), sizeBytes: 1, format: 'onnx' } }, /./],
  ['a folder outside the roots', { dataset: '/etc' }, /outside the folders/],
])('%s fails the evaluation and says so', async (_, changes, message) => {
  const trainer = await runningTrainer()
  const { evaluationId } = await ask(trainer, changes)
  expect(await settled(trainer, evaluationId)).toMatchObject({ state: 'failed', message: expect.stringMatching(message) })
})

test('a worker that died is tried again, a model that cannot be asked is not', async () => {
  const trainer = await runningTrainer()
  trainer.engine.failures.push(new AppError('INTERNAL_ERROR', 'the thread ended'))
  expect(await settled(trainer, (await ask(trainer)).evaluationId)).toMatchObject({ state: 'succeeded' })
  trainer.engine.failures.push(new AppError('INVALID_PARAMETER_VALUE', 'it has no labels'))
  expect(await settled(trainer, (await ask(trainer)).evaluationId)).toMatchObject({ state: 'failed', message: 'it has no labels' })
})

test('the evaluation of a process that died is taken up by the next', async () => {
  const trainer = await runningTrainer({
    async before({ database, blobs }, _tracking, dataset) {
      const file = await blobs.put(Buffer.from('{}'))
      const { sha256 } = await blobs.put(Buffer.from(canonicalManifest([{ path: 'millrace-model.json', ...file }])))
      const digest = await datasetDigest(await listDataset(dataset))
      await database.query(
        `insert into evaluation (evaluation_id, artifact, dataset, dataset_digest, state, due_at, lease_until, created_at)
         values ('e1', $1, $2, $3, 'running', now(), now() - interval '1 second', now())`,
        [JSON.stringify({ uri: 'x', sha256, sizeBytes: 2, format: 'onnx' }), dataset, digest],
      )
    },
  })
  expect((await settled(trainer, 'e1')).state).toBe('succeeded')
})
